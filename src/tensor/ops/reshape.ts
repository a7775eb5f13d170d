import { TensorError } from "../errors.ts";
import { type Dim, divideDims, formatShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import { defineOperator, type Tensor } from "../tensor.ts";

const apply = defineOperator<{ readonly shape: Shape }>({
  name: "reshape",
  infer: ([x], { shape }) => [{ dtype: (x as Tensor).dtype, shape }],
  gradient: ({ inputs: [x], outputGradients: [dy] }) => [dy && reshape(dy, (x as Tensor).shape)],
  lower: (lowering, [x], { attributes }) =>
    lowering.node("Reshape", [x, lowering.shapeVector(attributes.shape)]),
});

/**
 * The same elements, row-major, in another shape. One axis may be −1: it is computed from the rest.
 * A reshape of a reshape is one reshape, and one to the shape it has is none.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = inferAxis(x, shape);
  let origin = x;
  while (origin.source.kind === "operation" && origin.source.operation.operator.name === "reshape")
    origin = origin.source.operation.inputs[0] as Tensor;
  return sameShape(origin.shape, target) ? origin : apply([origin], { shape: target })[0];
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
