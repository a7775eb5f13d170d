import { describe, expect, test } from "vitest";
import { encodeModel, Program, TensorBuffer } from "../../src/runtime/index.ts";
import {
  addDims,
  attention,
  attentionBias,
  cachedAttention,
  concat,
  input,
  Random,
  reshape,
  sizeOf,
  slice,
  type Tensor,
} from "../../src/tensor/index.ts";
import { evaluate, randomInput } from "./evaluate.ts";

const [B, KV, G, D] = [2, 2, 3, 4];

test.each([
  { past: 5, length: 1, mask: [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1] },
  { past: 4, length: 3, mask: [0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1] },
  { past: 3, length: 3, mask: [1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 0, 3] },
])("over $past kept and $length new positions it is attention over both", async ({ past, length, mask }) => {
  const random = new Random(4);
  const total = past + length;
  const q = randomInput("q", [B, KV * G, total, D], random);
  const k = randomInput("k", [B, KV, total, D], random);
  const v = randomInput("v", [B, KV, total, D], random);
  const attentionMask = input("mask", "int32", [B, total]);

  const whole = (x: Tensor, groups: number) => reshape(x, [B, KV, groups, total, D]);
  const bias = attentionBias(attentionMask, { dtype: "float64", causal: true });
  const expected = reshape(
    attention(whole(q.tensor, G), whole(k.tensor, 1), whole(v.tensor, 1), {
      bias: reshape(bias, [B, 1, 1, total, total]),
    }),
    [B, KV * G, total, D],
  );
  const before = (x: Tensor) => slice(x, 2, 0, past);
  const after = (x: Tensor) => slice(x, 2, past, length);
  const actual = cachedAttention(after(q.tensor), after(k.tensor), after(v.tensor), {
    past: { key: before(k.tensor), value: before(v.tensor) },
    bias: attentionBias(attentionMask, { dtype: "float64", causal: true, queries: length }),
  });
  const values = { q: q.values, k: k.values, v: v.values, mask };
  const result = await evaluate({ actual, expected: after(expected) }, values);
  for (const [at, value] of (result.expected ?? []).entries())
    expect(result.actual?.[at]).toBeCloseTo(value, 12);
});

describe("sums of free lengths", () => {
  test("have one canonical form", () => {
    expect(addDims(2, 3)).toBe(5);
    expect(addDims("a", 0)).toBe("a");
    expect(addDims("b", "a")).toBe("(a+b)");
    expect(addDims(addDims("a", 1), addDims(2, "b"))).toBe("(a+b+3)");
    expect(sizeOf([2, addDims("b", "a"), "c"])).toBe("2*(a+b)*c");
    expect(() => addDims("2*a", "b")).toThrow(/"2\*a" is a product/);
  });

  const [T, P] = ["sequence_length", "past_sequence_length"];
  const mask = input("attention_mask", "int32", [1, addDims(P, T)]);
  const ids = input("input_ids", "int32", [1, T]);
  const past = input("past", "int32", [1, P]);

  test("are computed at run time, from an input that has them or from their parts", async () => {
    const shape = [addDims(P, T)] as const;
    for (const inputs of [
      [mask, ids, past],
      [ids, past],
    ]) {
      const program = new Program({ inputs, outputs: { zeros: reshape(biasOf(inputs), shape) } });
      const buffer = (length: number) => new TensorBuffer({ dtype: "int32", shape: [1, length] });
      const buffers: Record<string, TensorBuffer> = { input_ids: buffer(2), past: buffer(3) };
      if (inputs.includes(mask)) buffers.attention_mask = buffer(5);
      const zeros = new TensorBuffer({ dtype: "int32", shape: [5], data: Int32Array.of(9, 9, 9, 9, 9) });
      await program.bind(buffers, { zeros }).run();
      expect([...zeros.data]).toEqual([0, 0, 0, 0, 0]);
    }
  });

  /** Something of the length of both, made of zeros. */
  function biasOf(inputs: readonly Tensor[]): Tensor {
    return inputs.includes(mask) ? mask : concat([past, ids], 1);
  }

  test("must be those of the buffers", () => {
    const program = new Program({ inputs: [mask, ids, past], outputs: { mask } });
    const buffer = (length: number) => new TensorBuffer({ dtype: "int32", shape: [1, length] });
    expect(() =>
      program.bind({ attention_mask: buffer(6), input_ids: buffer(2), past: buffer(3) }, { mask: buffer(6) }),
    ).toThrow(/\(past_sequence_length\+sequence_length\) has 6 elements in a buffer; the others make it 5/);
  });

  test("are named in ONNX as Hugging Face's exports name them", () => {
    const bytes = Buffer.from(encodeModel({ inputs: [mask], outputs: { copy: reshape(mask, mask.shape) } }));
    expect(bytes.includes("past_sequence_length + sequence_length")).toBe(true);
  });
});

test("shapes that do not fit name all of them", () => {
  const x = (...shape: number[]) => input("x", "float32", shape);
  expect(() =>
    cachedAttention(x(1, 2, 1, 4), x(1, 2, 1, 4), x(1, 2, 1, 4), {
      past: { key: x(1, 2, 5, 4), value: x(1, 2, 5, 4) },
      bias: x(1, 1, 1, 5),
    }),
  ).toThrow(/cachedAttention: needs .* bias \(B, 1, T, P \+ T\).*x float32\(1, 1, 1, 5\)/);
  expect(() => attentionBias(input("mask", "int32", [1, 3]), { queries: 4 })).toThrow(
    /attentionBias: 4 positions cannot look out of a mask mask int32\(1, 3\)/,
  );
});
