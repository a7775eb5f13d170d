import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { sizeOf } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { columnSum } from "./column-sum.ts";
import { gemm } from "./linear.ts";
import { reduceMean } from "./reduce-mean.ts";
import { reshape } from "./reshape.ts";

interface LayerNormAttributes {
  readonly epsilon: number;
}

const apply = defineOperator<LayerNormAttributes>({
  name: "layerNorm",
  auxiliaryOutputs: true,
  infer: (inputs) => {
    const [x] = inputs as [Tensor];
    const row = { dtype: x.dtype, shape: [x.dim(0), 1] };
    return [{ dtype: x.dtype, shape: x.shape }, row, row];
  },
  gradient: ({ inputs, outputs, outputGradients: [dy], needed }) => {
    const [x, weight] = inputs as [Tensor, Tensor];
    const [, mean, inverseStd] = outputs as [Tensor, Tensor, Tensor];
    const width = x.dim(1);
    if (dy === undefined) return [];
    if (typeof width !== "number")
      throw new TensorError(
        "SYMBOLIC_DIMENSION",
        `layerNorm: the gradient needs a last axis that is a number; got ${describe(x)}.`,
      );
    const centered = sub(x, mean);
    const dyCentered = mul(dy, centered);
    const dx = () => {
      // With x̂ = (x − μ)/σ: dx = (dy·w − mean(dy·w) − x̂·mean(dy·w·x̂)) / σ. Of what is there anyway, the mean of rows is read off;
      // a product that is only summed is a matrix times a vector.
      const weighted = mul(dy, weight);
      const meanOfDy = reduceMean(weighted, { axes: [-1], keepDims: true });
      const column = reshape(weight, [width, 1]);
      const meanOfDyX = mul(gemm(dyCentered, column, { alpha: 1 / width }), mul(inverseStd, inverseStd));
      return mul(sub(sub(weighted, meanOfDy), mul(centered, meanOfDyX)), inverseStd);
    };
    return [
      needed(0) ? dx() : undefined,
      needed(1) ? columnSum(dyCentered, inverseStd) : undefined,
      needed(2) ? columnSum(dy) : undefined,
    ];
  },
  lower: (lowering, inputs, { inputs: [x], attributes: { epsilon } }) =>
    (x as Tensor).dtype === "float64"
      ? lowerPlain(lowering, inputs as [Value, Value, Value], epsilon)
      : lowering.node("LayerNormalization", inputs, {
          attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
          outputs: 3,
        }),
});

/** ONNX's operator gives mean and 1/σ in float32 only; in float64 the formula is written out. */
function lowerPlain(
  lowering: Lowering,
  [x, weight, bias]: readonly [Value, Value, Value],
  epsilon: number,
): Value[] {
  const node = (type: string, ...inputs: Value[]) => lowering.node(type, inputs)[0];
  const rowMean = (value: Value) => node("ReduceMean", value, lowering.constant([-1], "int64", [1]));
  const mean = rowMean(x);
  const centered = node("Sub", x, mean);
  const variance = node(
    "Add",
    rowMean(node("Mul", centered, centered)),
    lowering.constant([epsilon], "float64", []),
  );
  const inverseStd = node("Reciprocal", node("Sqrt", variance));
  return [node("Add", node("Mul", node("Mul", centered, inverseStd), weight), bias), mean, inverseStd];
}

/**
 * (x − mean) / √(variance + epsilon) · weight + bias over the last axis (Ba, Kiros, Hinton 2016):
 * x (…, C), weight (C), bias (C) → (…, C). The variance is the biased one, as in PyTorch.
 */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  const fits = (p: Tensor) => p.rank === 1 && p.dim(0) === x.shape.at(-1) && p.dtype === x.dtype;
  if (!isFloat(x.dtype) || !fits(weight) || !fits(bias))
    throw new TensorError(
      "SHAPE_MISMATCH",
      `layerNorm: x ${describe(x)}, weight ${describe(weight)} and bias ${describe(bias)} do not fit.`,
    );
  const rows = reshape(x, [sizeOf(x.shape.slice(0, -1)), x.dim(-1)]);
  return reshape(apply([rows, weight, bias], { epsilon })[0], x.shape);
}
