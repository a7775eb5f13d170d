import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { sizeOf } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { columnSum } from "./column-sum.ts";
import { gemm } from "./linear.ts";
import { reshape } from "./reshape.ts";

interface RmsNormAttributes {
  readonly epsilon: number;
}

const apply = defineOperator<RmsNormAttributes>({
  name: "rmsNorm",
  auxiliaryOutputs: true,
  infer: (inputs) => {
    const [x] = inputs as [Tensor];
    return [
      { dtype: x.dtype, shape: x.shape },
      { dtype: x.dtype, shape: [x.dim(0), 1] },
    ];
  },
  gradient: ({ inputs, outputs, outputGradients: [dy], needed }) => {
    const [x, weight] = inputs as [Tensor, Tensor];
    const inverse = outputs[1] as Tensor;
    const width = x.dim(1);
    if (dy === undefined) return [];
    if (typeof width !== "number")
      throw new TensorError(
        "SYMBOLIC_DIMENSION",
        `rmsNorm: the gradient needs a last axis that is a number; got ${describe(x)}.`,
      );
    const dyX = mul(dy, x);
    const dx = () => {
      // With r = 1/RMS: dx = r · (dy·w − x·r²·mean(dy·w·x)). The row mean is a matrix–vector product.
      const mean = gemm(dyX, reshape(weight, [width, 1]), { alpha: 1 / width });
      return mul(sub(mul(dy, weight), mul(x, mul(mean, mul(inverse, inverse)))), inverse);
    };
    return [needed(0) ? dx() : undefined, needed(1) ? columnSum(dyX, inverse) : undefined];
  },
  lower: (lowering, inputs, { inputs: [x], attributes: { epsilon } }) =>
    lowering.fused((x as Tensor).dtype) && !lowering.lacks("SimplifiedLayerNormalization")
      ? lowering.node("SimplifiedLayerNormalization", inputs, {
          attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
          outputs: 2,
        })
      : lowerPlain(lowering, inputs as [Value, Value], x as Tensor, epsilon),
});

/** ONNX has the operator from version 23 on, without 1/RMS: where ONNX Runtime's own may not be used, the formula. */
function lowerPlain(
  lowering: Lowering,
  [x, weight]: readonly [Value, Value],
  { dtype }: Tensor,
  epsilon: number,
): Value[] {
  const node = (type: string, ...inputs: Value[]) => lowering.node(type, inputs)[0];
  const mean = node("ReduceMean", node("Mul", x, x), lowering.constant([-1], "int64", [1]));
  const inverse = node(
    "Reciprocal",
    node("Sqrt", node("Add", mean, lowering.constant([epsilon], dtype, []))),
  );
  return [node("Mul", node("Mul", x, inverse), weight), inverse];
}

/**
 * x / √(mean x² + epsilon) · weight over the last axis (Zhang & Sennrich 2019): x (…, C), weight (C) → (…, C).
 */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon = 1e-6): Tensor {
  if (!isFloat(x.dtype) || weight.rank !== 1 || weight.dim(0) !== x.shape.at(-1) || weight.dtype !== x.dtype)
    throw new TensorError(
      "SHAPE_MISMATCH",
      `rmsNorm: x ${describe(x)} and weight ${describe(weight)} do not fit.`,
    );
  const rows = reshape(x, [sizeOf(x.shape.slice(0, -1)), x.dim(-1)]);
  return reshape(apply([rows, weight], { epsilon })[0], x.shape);
}
