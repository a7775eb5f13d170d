import { TensorError } from "../errors.ts";
import { type Dim, divideDims, formatShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import { defineOperator, type Operator, type Tensor } from "../tensor.ts";

const operator: Operator<{ readonly shape: Shape }> = {
  name: "reshape",
  infer: ([x], { shape }) => [{ dtype: (x as Tensor).dtype, shape }],
  gradient: ({ inputs: [x], outputGradients: [dy] }) => [dy && reshape(dy, (x as Tensor).shape)],
  lower: (lowering, [x], { attributes }) => [lowering.reshape(x, attributes.shape)],
};

const apply = defineOperator(operator);

/**
 * The same elements, row-major, in another shape. One axis may be −1: it is computed from the rest.
 * A reshape of a reshape is one reshape, and one to the shape it has is none.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = inferAxis(x, shape);
  if (sameShape(x.shape, target)) return x;
  const origin = reshapedFrom(x) ?? x;
  return sameShape(origin.shape, target) ? origin : apply([origin], { shape: target })[0];
}

/** What `x` is a reshape of, if it is one. */
function reshapedFrom(x: Tensor): Tensor | undefined {
  const { source } = x;
  return source.kind === "operation" && source.operation.operator === operator
    ? source.operation.inputs[0]
    : undefined;
}

/**
 * Applies an operation that works element by element on tensors of one shape, in the shape that one of them was reshaped
 * from: reshapes then meet each other, and vanish, instead of standing between any two layers.
 */
export function elementwise(tensors: readonly Tensor[], apply: (...tensors: Tensor[]) => Tensor): Tensor {
  const [first] = tensors;
  const origin = tensors.map(reshapedFrom).find((found) => found !== undefined);
  if (
    first === undefined ||
    origin === undefined ||
    tensors.some(({ shape }) => !sameShape(shape, first.shape))
  )
    return apply(...tensors);
  return reshape(apply(...tensors.map((tensor) => reshape(tensor, origin.shape))), first.shape);
}

function inferAxis(x: Tensor, shape: Shape): Shape {
  const total = sizeOf(x.shape);
  const at = shape.indexOf(-1);
  const mismatch = () =>
    new TensorError(
      "SHAPE_MISMATCH",
      `reshape: ${formatShape(x.shape)} does not have the elements of ${formatShape(shape)}.`,
    );
  if (at < 0) {
    if (sizeOf(shape) !== total) throw mismatch();
    return shape;
  }
  const rest = shape.filter((_dim, axis) => axis !== at);
  const missing: Dim | undefined = rest.includes(-1) ? undefined : divideDims(total, sizeOf(rest));
  if (missing === undefined) throw mismatch();
  return shape.map((dim, axis) => (axis === at ? missing : dim));
}
