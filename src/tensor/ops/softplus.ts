import { defineOperator, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { sigmoid } from "./unary.ts";

const apply = defineOperator<undefined>({
  name: "softplus",
  infer: ([x]) => [{ dtype: (x as Tensor).dtype, shape: (x as Tensor).shape }],
  gradient: ({ inputs: [x], outputGradients: [dy] }) => [dy && mul(dy, sigmoid(x as Tensor))],
  // max(x, 0) + log(1 + e^−|x|): never overflows. ONNX Runtime's own Softplus knows no float64.
  lower: (lowering, [x], { inputs }) => {
    const { dtype } = inputs[0] as Tensor;
    const [size] = lowering.node("Abs", [x]);
    const [power] = lowering.node("Exp", [lowering.node("Neg", [size])[0]]);
    const [tail] = lowering.node("Log", [
      lowering.node("Add", [power, lowering.constant([1], dtype, [])])[0],
    ]);
    return lowering.node("Add", [lowering.node("Relu", [x])[0], tail]);
  },
});

/** log(1 + eˣ), element by element, for any x. */
export function softplus(x: Tensor): Tensor {
  return apply([x], undefined)[0];
}
