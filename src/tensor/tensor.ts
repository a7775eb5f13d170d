import type { DType } from "./dtype.ts";
import { TensorError } from "./errors.ts";
import type { Lowering, Value } from "./lowering.ts";
import { currentScope } from "./scope.ts";
import { type Dim, formatShape, type Shape, sizeOf } from "./shape.ts";

/** Dtype and shape: what is known of a tensor before anything is computed. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Constant elements as JavaScript holds them; int64 as numbers (all our integers are below 2^53). */
export type ConstantData = readonly number[] | Float32Array | Float64Array | Int32Array;

/** Where a tensor's values come from: the outside, the graph's text itself, or an operation. */
export type TensorSource =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly data: ConstantData }
  | { readonly kind: "operation"; readonly operation: Operation; readonly output: number };

/** One application of an operator to tensors. */
export interface Operation {
  readonly operator: Operator;
  readonly inputs: readonly Tensor[];
  readonly attributes: unknown;
  readonly outputs: readonly Tensor[];
  /**
   * Path of the module that was being traced (`gpt.layers.3.attention.query`), or empty. In gradients `grad:`, that, and the
   * operator whose gradient it is (`grad:gpt.layers.3.attention.query/gemm`); `again:` and that where it is computed again.
   */
  readonly scope: string;
}

let created = 0;

/**
 * A symbolic tensor: dtype, shape and the operation that gives its values. Building one computes nothing.
 * Ids grow in order of creation, so that inputs always have smaller ids than what is computed from them.
 */
export class Tensor implements TensorType {
  readonly id: number = created++;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly source: TensorSource;

  constructor(type: TensorType, source: TensorSource) {
    for (const dim of type.shape)
      if (typeof dim === "number" && (!Number.isInteger(dim) || dim < 0))
        throw new TensorError(
          "BAD_SHAPE",
          `A shape holds integers of 0 or more and symbols; got ${formatShape(type.shape)}.`,
        );
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.source = source;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Length of an axis; negative axes count from the back. */
  dim(axis: number): Dim {
    const dim = this.shape[axis < 0 ? axis + this.rank : axis];
    if (dim === undefined)
      throw new TensorError("AXIS_OUT_OF_RANGE", `Axis ${axis} does not exist in ${describe(this)}.`);
    return dim;
  }
}

/** How a tensor is named in error messages: its name if it has one, dtype and shape. */
export function describe(tensor: Tensor): string {
  const name = tensor.source.kind === "input" ? tensor.source.name : "";
  return `${name && `${name} `}${tensor.dtype}${formatShape(tensor.shape)}`;
}

/** What a gradient rule may read. */
export interface GradientRequest<Attributes> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
  /** d loss / d output, one an output; `undefined` where the loss does not depend on it. */
  readonly outputGradients: readonly (Tensor | undefined)[];
  /** Whether input `i` lies on a path from what is differentiated for; other gradients need not be built. */
  needed(input: number): boolean;
  /** What later operations already added to the gradient of input `i`. A rule that adds to it returns `Total`. */
  accumulated(input: number): Tensor | undefined;
}

/** A gradient that already contains what was accumulated before. Spares a pass over a large array. */
export class Total {
  readonly tensor: Tensor;
  constructor(tensor: Tensor) {
    this.tensor = tensor;
  }
}

/** An operator: its shape rule, its gradient and its ONNX lowering, side by side. */
export interface Operator<Attributes = unknown> {
  readonly name: string;
  /** Whether outputs after the first are by-products that the gradient reads, and that have no gradient themselves. */
  readonly auxiliaryOutputs?: true;
  /** Dtypes and shapes of the outputs; throws a `TensorError` that names the operator and the shapes that do not fit. */
  infer(inputs: readonly Tensor[], attributes: Attributes): readonly TensorType[];
  /** d loss / d input for each input, as more graph; absent for operators that are not differentiable. */
  gradient?(request: GradientRequest<Attributes>): readonly (Tensor | Total | undefined)[];
  /**
   * Sizes of the products of matrices that it computes, for counting: (…, N, M, K) each, where (…, N, M) is the result's shape
   * and K is summed over. Absent: there are none.
   */
  products?(operation: LoweredOperation<Attributes>): readonly Shape[];
  /** Emits ONNX nodes; returns one value an output. */
  lower(
    lowering: Lowering,
    inputs: readonly Value[],
    operation: LoweredOperation<Attributes>,
  ): readonly Value[];
}

/** The operation being lowered, with its attributes typed. */
export interface LoweredOperation<Attributes> {
  readonly attributes: Attributes;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Gives the function that applies an operator to tensors and returns all its outputs. */
export function defineOperator<Attributes>(
  operator: Operator<Attributes>,
): (inputs: readonly Tensor[], attributes: Attributes) => readonly [Tensor, ...Tensor[]] {
  return (inputs, attributes) => {
    const outputs: Tensor[] = [];
    const scope = currentScope();
    const operation: Operation = { operator: operator as Operator, inputs, attributes, outputs, scope };
    for (const [output, type] of operator.infer(inputs, attributes).entries())
      outputs.push(new Tensor(type, { kind: "operation", operation, output }));
    const [first, ...rest] = outputs;
    if (first === undefined)
      throw new TensorError("NO_OUTPUT", `${operator.name}: an operator gives at least one tensor.`);
    return [first, ...rest];
  };
}

/** A tensor that is fed from outside at each run, under `name`. */
export function input(name: string, dtype: DType, shape: Shape): Tensor {
  return new Tensor({ dtype, shape }, { kind: "input", name });
}

const integerRanges: Partial<Readonly<Record<DType, readonly [number, number]>>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint32: [0, 2 ** 32 - 1],
  bool: [0, 1],
};

/** A tensor with fixed values, row-major. */
export function constant(data: ConstantData, dtype: DType, shape: Shape = [data.length]): Tensor {
  const size = sizeOf(shape);
  if (size !== data.length)
    throw new TensorError(
      "SHAPE_MISMATCH",
      `constant: ${data.length} values do not fill shape ${formatShape(shape)}.`,
    );
  const range = integerRanges[dtype];
  const misfit =
    range &&
    Array.from(data).find((value) => !Number.isInteger(value) || value < range[0] || value > range[1]);
  if (misfit !== undefined) throw new TensorError("BAD_VALUE", `constant: ${misfit} is no ${dtype}.`);
  return new Tensor({ dtype, shape }, { kind: "constant", data });
}

/** A constant of rank 0. */
export function scalar(value: number, dtype: DType = "float32"): Tensor {
  return constant([value], dtype, []);
}
