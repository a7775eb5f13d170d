/** Floating-point operations counted from traced graphs, against what is counted by hand. */
import { expect, test } from "vitest";
import { modelRegistry } from "../../src/models/index.ts";
import { evaluationContext } from "../../src/nn/index.ts";
import {
  cachedAttention,
  causalAttention,
  countFlops,
  flopsByPlace,
  gemm,
  grad,
  input,
  inScope,
  matmul,
  mul,
  reduceSum,
  type Tensor,
} from "../../src/tensor/index.ts";
import { causalObjective } from "../../src/trainers/causal-objective.ts";
import { traceStep } from "../../src/trainers/step-graph.ts";

const matrix = (name: string, ...shape: number[]) => input(name, "float32", shape);

test("a product of matrices is 2·N·M·K, however its factors are turned", () => {
  expect(countFlops([gemm(matrix("a", 3, 5), matrix("b", 5, 7))])).toBe(2 * 3 * 5 * 7);
  expect(countFlops([gemm(matrix("a", 5, 3), matrix("b", 7, 5), { transA: true, transB: true })])).toBe(210);
  expect(countFlops([matmul(matrix("a", 4, 2, 3, 5), matrix("b", 2, 5, 7))])).toBe(8 * 210);
  expect(countFlops([matmul(matrix("a", 4, 5, 3), matrix("b", 4, 5, 7), { transposeA: true })])).toBe(
    4 * 210,
  );
});

test("what goes element by element, and sums that are written as products with one column, are not counted", () => {
  expect(countFlops([reduceSum(mul(matrix("a", 3, 5), matrix("b", 3, 5)))])).toBe(0);
  expect(countFlops([gemm(matrix("a", 3, 5), matrix("b", 5, 1))])).toBe(0);
});

test("attention is two products, of which a causal one is counted whole", () => {
  const [B, H, T, P, D] = [2, 3, 8, 5, 4];
  const head = () => matrix("x", B, H, T, D);
  expect(countFlops([causalAttention(head(), head(), head())])).toBe(2 * 2 * B * H * T * T * D);
  const past = { key: matrix("key", B, H, P, D), value: matrix("value", B, H, P, D) };
  const cached = cachedAttention(head(), head(), head(), { past, bias: matrix("bias", B, 1, T, P + T) });
  expect(countFlops([cached])).toBe(2 * 2 * B * H * T * (P + T) * D);
});

test("a product of unknown size is refused", () => {
  const product = gemm(input("a", "float32", ["batch_size", 5]), matrix("b", 5, 7));
  expect(() => countFlops([product])).toThrow(/gemm.*batch_size/s);
});

test("gradients are counted where they belong: twice the product", () => {
  const [a, b] = [matrix("a", 3, 5), matrix("b", 5, 7)];
  const loss = inScope("layer", () => reduceSum(mul(gemm(a, b), matrix("c", 3, 7))));
  const flops = flopsByPlace(grad(loss, [a, b]) as Tensor[]);
  expect(Object.fromEntries([...flops].filter(([, count]) => count > 0))).toEqual({
    "grad:layer/gemm/gemm": 2 * 210,
  });
});

const shape = { L: 3, C: 32, H: 4, T: 16, B: 2, V: 100 };

async function gptStep(gradientCheckpointing: boolean, length = shape.T) {
  const { L, C, H, V } = shape;
  const model = await modelRegistry.create("gpt2", {
    ...{ vocabSize: V, hiddenSize: C, numHiddenLayers: L, numAttentionHeads: H },
    maxPositionEmbeddings: shape.T,
  });
  const form = { attentionMask: false, positionIds: false, tokenTypeIds: false };
  const { results, gradients } = traceStep(
    model,
    causalObjective(),
    { batchSize: shape.B, sequenceLength: length, ...form },
    new Set(model.parameters()),
    { recomputes: gradientCheckpointing },
  );
  return { model, outputs: [...Object.values(results), ...Object.values(gradients)] };
}

test("a training step of GPT-2 is 6·N a token, N the weights of its matrices, and 12·L·T·C for attention", async () => {
  const { L, C, T, B, V } = shape;
  const { model, outputs } = await gptStep(false);
  const N = 12 * L * C ** 2 + V * C;
  // By another way: what is multiplied with are the matrices, except the positions; the token embedding is the output layer.
  const matrices = model.parameters().filter(({ dims, name }) => dims.length === 2 && !name.includes("wpe"));
  expect(matrices.reduce((sum, { dims }) => sum + (dims[0] ?? 0) * (dims[1] ?? 0), 0)).toBe(N);
  expect(countFlops(outputs)).toBe(B * T * (6 * N + 12 * L * T * C));
});

test("a forward pass is a third of that", async () => {
  const { L, C, T, B, V } = shape;
  const { model } = await gptStep(false);
  const { logits } = model.forward({ inputIds: input("ids", "int32", [B, T]) }, evaluationContext());
  expect(countFlops([logits])).toBe(B * T * (2 * (12 * L * C ** 2 + V * C) + 4 * L * T * C));
});

test("what gradient checkpointing computes again is told apart", async () => {
  const plain = countFlops((await gptStep(false)).outputs);
  const { outputs } = await gptStep(true);
  const again = [...flopsByPlace(outputs)].filter(([place]) => place.startsWith("again:"));
  const repeated = again.reduce((sum, [, flops]) => sum + flops, 0);
  expect(repeated).toBeGreaterThan(0);
  expect(countFlops(outputs)).toBe(plain + repeated);
});
