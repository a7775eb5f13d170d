import { defineOperator, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { reduceSum } from "./reduce.ts";

const apply = defineOperator<undefined>({
  name: "softmax",
  infer: ([x]) => [{ dtype: (x as Tensor).dtype, shape: (x as Tensor).shape }],
  gradient: ({ outputs, outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    const y = outputs[0] as Tensor;
    return [mul(y, sub(dy, reduceSum(mul(dy, y), { axes: [-1], keepDims: true })))];
  },
  lower: (lowering, inputs) => lowering.node("Softmax", inputs, { attributes: { axis: { int: -1 } } }),
});

/** eˣ / Σ eˣ over the last axis. */
export function softmax(x: Tensor): Tensor {
  return apply([x], undefined)[0];
}
