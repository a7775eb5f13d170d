import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { CONTRIB, type Lowering, type Value } from "../lowering.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { elementwise } from "./reshape.ts";
import { sigmoid } from "./unary.ts";

// ½(1 + tanh u) = σ(2u), so gelu(x) = x·σ(z) with z = x·(K + K·A·x²).
const K = 2 * Math.sqrt(2 / Math.PI);
const A = 0.044715;

const apply = defineOperator<undefined>({
  name: "gelu",
  infer: ([x]) => {
    const { dtype, shape } = x as Tensor;
    if (!isFloat(dtype))
      throw new TensorError("DTYPE_MISMATCH", `gelu: needs a real dtype; got ${describe(x as Tensor)}.`);
    return [{ dtype, shape }];
  },
  gradient: ({ inputs: [x], outputs: [y], outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    const [input, output] = [x as Tensor, y as Tensor];
    const square = mul(input, input);
    const s = sigmoid(mul(input, add(mul(square, K * A), K)));
    // d(x·σ(z)) = σ + x·σ·(1 − σ)·z' = σ + y·(1 − σ)·z'
    const slope = add(mul(square, 3 * K * A), K);
    return [mul(dy, add(s, mul(mul(output, slope), sub(1, s))))];
  },
  lower: (lowering, inputs, { inputs: [x] }) =>
    // The fused kernel refuses a single number.
    lowering.fused((x as Tensor).dtype) && (x as Tensor).rank > 0
      ? lowering.node("FastGelu", inputs, { domain: CONTRIB })
      : (x as Tensor).dtype === "float32"
        ? lowering.node("Gelu", inputs, { attributes: { approximate: { string: "tanh" } } })
        : lowerPlain(lowering, inputs as [Value]),
});

/** ONNX Runtime's kernels know float32 only. */
function lowerPlain(lowering: Lowering, [x]: readonly [Value]): Value[] {
  const real = (value: number) => lowering.constant([value], "float64", []);
  const node = (type: string, a: Value, b: Value) => lowering.node(type, [a, b])[0];
  const factor = node("Add", node("Mul", node("Mul", x, x), real(K * A)), real(K));
  const [s] = lowering.node("Sigmoid", [node("Mul", x, factor)]);
  return [node("Mul", x, s)];
}

/** GELU in its tanh approximation (Hendrycks & Gimpel 2016), GPT-2's `gelu_new`: ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
export function gelu(x: Tensor): Tensor {
  return elementwise([x], (y) => apply([y], undefined)[0]);
}
