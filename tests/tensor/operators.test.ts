import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  causalAttention,
  constant,
  type DType,
  gather,
  gelu,
  geluExact,
  grad,
  input,
  layerNorm,
  mul,
  reduceSum,
  softmax,
  type Tensor,
} from "../../src/tensor/index.ts";
import { evaluate } from "./evaluate.ts";

interface GoldenTensor {
  readonly shape: number[];
  readonly data: number[];
}

interface GoldenCase {
  readonly name: string;
  readonly operator: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, GoldenTensor>>;
  readonly outputs: Readonly<Record<string, GoldenTensor>>;
  readonly outputGradient: GoldenTensor;
  readonly inputGradients: Readonly<Record<string, GoldenTensor>>;
}

const golden: { cases: GoldenCase[] } = JSON.parse(
  await readFile(new URL("../golden/operators.json", import.meta.url), "utf8"),
);

/** Our operator of a golden case; undefined where the graph says it with several (ignored labels). */
function build(
  operator: string,
  attributes: GoldenCase["attributes"],
  inputs: Readonly<Record<string, Tensor>>,
) {
  const at = (name: string) => inputs[name] as Tensor;
  switch (operator) {
    case "layer_norm":
      return layerNorm(at("x"), at("weight"), at("bias"), Number(attributes.epsilon));
    case "gelu":
      return attributes.approximate === "tanh" ? gelu(at("x")) : geluExact(at("x"));
    case "softmax":
      return softmax(at("x"));
    case "embedding":
      return gather(at("weight"), at("ids"));
    case "causal_attention":
      return causalAttention(at("query"), at("key"), at("value"));
  }
  return undefined;
}

describe.each(["float32", "float64"] as const)("operators agree with PyTorch in %s", (dtype: DType) => {
  // Factors of products (1/√D, 1/C) are float32 attributes of ONNX Runtime's kernels, in float64 graphs too.
  const usual = dtype === "float32" ? 2e-6 : 2e-8;
  const close = (
    actual: readonly number[] | undefined,
    expected: readonly number[],
    what: string,
    tolerance = usual,
  ) => {
    expect(actual?.length, what).toBe(expected.length);
    for (const [place, value] of expected.entries())
      expect(
        Math.abs((actual?.[place] ?? Number.NaN) - value),
        `${what}[${place}]: ${actual?.[place]} against ${value}`,
      ).toBeLessThan(tolerance * (1 + Math.abs(value)));
  };

  for (const {
    name,
    operator,
    attributes,
    inputs,
    outputs,
    outputGradient,
    inputGradients,
  } of golden.cases) {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([key, { shape }]) => [
        key,
        input(key, key === "ids" || key === "labels" ? "int32" : dtype, shape),
      ]),
    );
    const output = build(operator, attributes, tensors);
    if (output === undefined) continue;
    // Rounding inputs near 2 to float32 moves values that differ by 0.003 by 4e-5 of their spread.
    const tolerance = name.includes("variance below epsilon") ? 100 * usual : usual;
    test(name, async () => {
      const loss = reduceSum(mul(output, constant(outputGradient.data, dtype, outputGradient.shape)));
      const keys = Object.keys(inputGradients);
      const gradients = grad(
        loss,
        keys.map((key) => tensors[key] as Tensor),
      );
      const results = await evaluate(
        {
          y: output,
          ...Object.fromEntries(keys.map((key, index) => [`d_${key}`, gradients[index] as Tensor])),
        },
        Object.fromEntries(Object.entries(inputs).map(([key, { data }]) => [key, data])),
      );
      close(results.y, outputs.y?.data ?? [], "output", tolerance);
      for (const key of keys)
        close(results[`d_${key}`], inputGradients[key]?.data ?? [], `gradient of ${key}`, tolerance);
    });
  }

  const hard = golden.cases.filter(({ operator }) => operator === "cross_entropy");
  test.each(hard.map((item) => [item.name, item] as const))(
    "%s",
    async (_name, { inputs, outputs, inputGradients, outputGradient }) => {
      const { logits: l, labels: t } = inputs as Record<"logits" | "labels", GoldenTensor>;
      const { tokenLosses } = await import("../../src/nn/index.ts");
      const logits = input("logits", dtype, l.shape);
      const losses = tokenLosses(logits, input("labels", "int32", t.shape));
      const counted = t.data.filter((label) => label !== -100).length;
      const loss = mul(reduceSum(losses), (outputGradient.data[0] ?? 1) / counted);
      const [gradient] = grad(loss, [logits]);
      const results = await evaluate(
        { losses, loss, d: gradient as Tensor },
        { logits: l.data, labels: t.data },
      );
      close(results.losses, outputs.rowLosses?.data ?? [], "losses");
      close(results.loss, outputs.loss?.data ?? [], "loss");
      close(results.d, inputGradients.logits?.data ?? [], "gradient");
    },
  );
});
