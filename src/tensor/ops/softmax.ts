import { normalizeAxis } from "../shape.ts";
import { defineOperator, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { reduceSum } from "./reduce.ts";

const apply = defineOperator<{ readonly axis: number }>({
  name: "softmax",
  infer: ([x]) => [{ dtype: (x as Tensor).dtype, shape: (x as Tensor).shape }],
  gradient: ({ outputs, attributes: { axis }, outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    const y = outputs[0] as Tensor;
    return [mul(y, sub(dy, reduceSum(mul(dy, y), { axes: [axis], keepDims: true })))];
  },
  lower: (lowering, inputs, { attributes: { axis } }) =>
    lowering.node("Softmax", inputs, { attributes: { axis: { int: axis } } }),
});

/** eˣ / Σ eˣ over an axis, the last one when left out. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply([x], { axis: normalizeAxis("softmax", axis, x.rank) })[0];
}
