import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { broadcastShapes, formatShape, normalizeAxes, type Shape, sameShape, sizeOf } from "../shape.ts";
import { defineOperator, type Tensor } from "../tensor.ts";
import { reshape } from "./reshape.ts";

const applyBroadcast = defineOperator<{ readonly shape: Shape }>({
  name: "broadcastTo",
  infer: ([x], { shape }) => {
    const type = x as Tensor;
    if (!sameShape(broadcastShapes("broadcastTo", type.shape, shape), shape))
      throw new TensorError(
        "SHAPE_MISMATCH",
        `broadcastTo: ${formatShape(type.shape)} does not fit into ${formatShape(shape)}.`,
      );
    return [{ dtype: type.dtype, shape }];
  },
  gradient: ({ inputs: [x], outputGradients: [dy] }) => [dy && sumTo(dy, (x as Tensor).shape)],
  lower: (lowering, [x], { attributes }) =>
    lowering.node("Expand", [x, lowering.shapeVector(attributes.shape)]),
});

/** Repeats `x` along axes of length 1 (NumPy's rules) until it has `shape`. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : applyBroadcast([x], { shape })[0];
}

export interface ReduceAttributes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

export interface ReduceOptions {
  /** Negative ones count from the back. Default: all. */
  readonly axes?: readonly number[];
  /** Whether the axes stay, with length 1. Default false. */
  readonly keepDims?: boolean;
}

/** Shape of what is left of `shape` when `axes` are reduced. */
export function reducedShape(shape: Shape, { axes, keepDims }: ReduceAttributes): Shape {
  return keepDims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_dim, axis) => !axes.includes(axis));
}

const applySum = defineOperator<ReduceAttributes>({
  name: "reduceSum",
  infer: ([x], attributes) => {
    const { dtype, shape } = x as Tensor;
    return [{ dtype, shape: reducedShape(shape, attributes) }];
  },
  gradient: ({ inputs: [x], attributes: { axes }, outputGradients: [dy] }) => {
    const { shape } = x as Tensor;
    return [dy && broadcastTo(reshape(dy, reducedShape(shape, { axes, keepDims: true })), shape)];
  },
  lower: (lowering, [x], { inputs: [tensor], outputs: [sum], attributes: { axes, keepDims } }) => {
    const { dtype, shape } = tensor as Tensor;
    const isLeading = axes.length < shape.length && axes.every((axis) => axis < axes.length);
    if (!isLeading || !isFloat(dtype))
      return lowering.node("ReduceSum", [x, lowering.constant([...axes], "int64", [axes.length])], {
        attributes: { keepdims: { int: keepDims ? 1 : 0 } },
      });
    // Over leading axes (positions that were added to every sequence of a batch) a product with a row of ones is faster.
    const rows = sizeOf(shape.slice(0, axes.length));
    const matrix = lowering.reshape(x, [rows, sizeOf(shape.slice(axes.length))]);
    const [sums] = lowering.node("MatMul", [lowering.fill(1, dtype, [1, rows]), matrix]);
    return [lowering.reshape(sums, (sum as Tensor).shape)];
  },
});

/** Sum over `axes` (all of them when left out). */
export function reduceSum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axes = normalizeAxes("reduceSum", options.axes, x.rank);
  // ONNX takes a list without axes for all of them.
  return axes.length === 0 ? x : applySum([x], { axes, keepDims: options.keepDims ?? false })[0];
}

/** Sums the axes along which something of `shape` was broadcast to the shape of `x`: the transpose of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape
    .map((_dim, axis) => axis)
    .filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  const summed = reduceSum(x, { axes, keepDims: true });
  return reshape(summed, shape);
}

const applySumOfSquares = defineOperator<undefined>({
  name: "sumOfSquares",
  infer: (inputs) => [{ dtype: (inputs[0] as Tensor).dtype, shape: [] }],
  lower: (lowering, inputs) => {
    const sums = inputs.map(
      (x) => lowering.node("ReduceSumSquare", [x], { attributes: { keepdims: { int: 0 } } })[0],
    );
    if (lowering.lacks("Sum")) return [sums.reduce((sum, next) => lowering.node("Add", [sum, next])[0])];
    return sums.length === 1 ? sums : lowering.node("Sum", sums);
  },
});

/** Σ x² over all elements of all tensors, shape (). Not differentiable: it measures gradients. */
export function sumOfSquares(tensors: readonly Tensor[]): Tensor {
  return applySumOfSquares(tensors, undefined)[0];
}
