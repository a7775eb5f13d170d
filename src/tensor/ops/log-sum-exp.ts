import { defineOperator, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";

const apply = defineOperator<undefined>({
  name: "logSumExp",
  auxiliaryOutputs: true,
  infer: ([x]) => {
    const { dtype, shape } = x as Tensor;
    return [
      { dtype, shape: [...shape.slice(0, -1), 1] },
      { dtype, shape },
    ];
  },
  gradient: ({ outputs: [, probabilities], outputGradients: [dy] }) =>
    dy === undefined ? [] : [mul(probabilities as Tensor, dy)],
  lower: (lowering, [x]) => {
    const largest = (of: typeof x) =>
      lowering.node("ReduceMax", [of, lowering.constant([-1], "int64", [1])])[0];
    const [probabilities] = lowering.node("Softmax", [x], { attributes: { axis: { int: -1 } } });
    // As in crossEntropy: log Σ eˣ = max x − log(max softmax), exact for any finite x.
    const [logOfMax] = lowering.node("Log", [largest(probabilities)]);
    return [lowering.node("Sub", [largest(x), logOfMax])[0], probabilities];
  },
});

/** log Σ eˣ over the last axis, which is kept with length 1: (…, C) → (…, 1). */
export function logSumExp(x: Tensor): Tensor {
  return apply([x], undefined)[0];
}
