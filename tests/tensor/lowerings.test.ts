/** Operators whose graph in float32 uses kernels of ONNX Runtime's own give what the written-out float64 graph gives. */
import { describe, expect, test } from "vitest";
import { Program, TensorBuffer } from "../../src/runtime/index.ts";
import {
  arange,
  attention,
  attentionBias,
  cachedAttention,
  cast,
  causalAttention,
  constant,
  cos,
  type DType,
  erf,
  geluExact,
  input,
  maximum,
  modulo,
  mul,
  Random,
  reshape,
  rmsNorm,
  rotary,
  type Shape,
  shift,
  silu,
  sin,
  type Tensor,
} from "../../src/tensor/index.ts";
import { evaluate, randomInput } from "./evaluate.ts";

const angles = (rows: number, dtype: DType) => mul(cast(reshape(arange(rows * 6), [rows, 3, 2]), dtype), 0.7);

/** Two new positions after five, of which each row has some. */
function cached(dtype: DType, heads: readonly Tensor[]): Tensor {
  const [q, k, v, key, value] = heads as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const bias = attentionBias(constant(PAST_MASK, "int32", [2, 7]), { dtype, causal: true, queries: 2 });
  return cachedAttention(q, k, v, { past: { key, value }, bias });
}

const PAST_MASK = [1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1];

const cases: Record<string, readonly [Shape[], (dtype: DType, ...inputs: Tensor[]) => Tensor]> = {
  erf: [[[5, 7]], (_, x) => erf(mul(x as Tensor, 4))],
  geluExact: [[[5, 7]], (_, x) => geluExact(mul(x as Tensor, 4))],
  silu: [[[5, 7]], (_, x) => silu(mul(x as Tensor, 4))],
  rmsNorm: [[[2, 3, 5], [5]], (_, x, w) => rmsNorm(x as Tensor, w as Tensor, 1e-3)],
  "cachedAttention, a key head a query head": [
    [
      [2, 3, 2, 4],
      [2, 3, 2, 4],
      [2, 3, 2, 4],
      [2, 3, 5, 4],
      [2, 3, 5, 4],
    ],
    (dtype, ...heads) => cached(dtype, heads),
  ],
  "cachedAttention of grouped queries": [
    [
      [2, 6, 2, 4],
      [2, 2, 2, 4],
      [2, 2, 2, 4],
      [2, 2, 5, 4],
      [2, 2, 5, 4],
    ],
    (dtype, ...heads) => cached(dtype, heads),
  ],
  "rotary of a batch that starts from one position": [
    [[2, 3, 3, 4]],
    (dtype, x) => rotary(x as Tensor, cos(angles(1, dtype)), sin(angles(1, dtype))),
  ],
  "rotary of rows with positions of their own": [
    [[2, 3, 3, 4]],
    (dtype, x) => rotary(x as Tensor, cos(angles(2, dtype)), sin(angles(2, dtype))),
  ],
  "attention of grouped heads": [
    [
      [2, 2, 3, 4, 2],
      [2, 2, 1, 4, 2],
      [2, 2, 1, 4, 2],
    ],
    (_, q, k, v) => attention(q as Tensor, k as Tensor, v as Tensor),
  ],
};

describe("float32 agrees with float64", () => {
  for (const [name, [shapes, build]] of Object.entries(cases))
    test(name, async () => {
      const results = await Promise.all(
        (["float32", "float64"] as const).map(async (dtype) => {
          const random = new Random(1);
          const inputs = shapes.map((shape, index) =>
            randomInput(`x${index}`, shape as number[], random, dtype),
          );
          const values = Object.fromEntries(inputs.map(({ values }, index) => [`x${index}`, values]));
          return (await evaluate({ y: build(dtype, ...inputs.map(({ tensor }) => tensor)) }, values)).y ?? [];
        }),
      );
      const [single = [], double = []] = results;
      expect(single.length).toBeGreaterThan(0);
      for (const [place, value] of double.entries())
        expect(
          Math.abs((single[place] ?? Number.NaN) - value),
          `${place}: ${single[place]} against ${value}`,
        ).toBeLessThan(2e-6 * (1 + Math.abs(value)));
    });
});

test("rotary turns pairs that are halves apart: by a right angle, (a, b) becomes (−b, a)", async () => {
  const x = constant([1, 2, 3, 4], "float32", [1, 1, 1, 4]);
  const [zeros, ones] = [constant([0, 0], "float32", [1, 1, 2]), constant([1, 1], "float32", [1, 1, 2])];
  expect((await evaluate({ y: rotary(x, zeros, ones) }, {})).y).toEqual([-3, -4, 1, 2]);
});

test("attentionBias: equal numbers see each other, padding sees padding, and causally only what came before", async () => {
  const mask = constant([1, 1, 2, 0], "int32", [1, 4]);
  const { all, causal } = await evaluate(
    { all: attentionBias(mask), causal: attentionBias(mask, { causal: true }) },
    {},
  );
  const seen = (bias: number[] | undefined) => bias?.map((value) => (value === 0 ? 1 : 0));
  expect(seen(all)).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  expect(seen(causal)).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
});

test("a causal bias over one document gives what causalAttention gives", async () => {
  const random = new Random(2);
  const [q, k, v] = ["q", "k", "v"].map((name) => randomInput(name, [2, 3, 4, 5], random, "float32"));
  const of = [q, k, v].map((given) => given?.tensor as Tensor) as [Tensor, Tensor, Tensor];
  const bias = attentionBias(constant([7, 7, 7, 7, 1, 1, 1, 1], "int32", [2, 4]), { causal: true });
  const given = Object.fromEntries(["q", "k", "v"].map((name, at) => [name, [q, k, v][at]?.values ?? []]));
  const { masked, plain } = await evaluate(
    { masked: attention(...of, { bias }), plain: causalAttention(...of) },
    given,
  );
  expect(masked).toEqual(plain);
});

test("shift moves rows to the right and fills with 0, past the end too", async () => {
  const x = constant([1, 2, 3, 4, 5, 6], "int32", [2, 3]);
  const { one, none, all } = await evaluate({ one: shift(x, 1), none: shift(x, 0), all: shift(x, 5) }, {});
  expect(one).toEqual([0, 1, 2, 0, 4, 5]);
  expect(none).toEqual([1, 2, 3, 4, 5, 6]);
  expect(all).toEqual([0, 0, 0, 0, 0, 0]);
});

test("modulo has the sign of its divisor; maximum is the larger", async () => {
  const x = constant([-3, -8, 9, 7], "int32");
  const { rest, larger } = await evaluate({ rest: modulo(x, 7), larger: maximum(x, 1) }, {});
  expect(rest).toEqual([4, 6, 2, 0]);
  expect(larger).toEqual([1, 1, 9, 7]);
});

test("a free length is found when the graph runs: arange, shift, bias and rotary", async () => {
  const x = input("x", "float32", ["b", 1, "t", 2]);
  const ids = input("ids", "int32", ["b", "t"]);
  const positions = mul(cast(reshape(arange("t"), [1, "t", 1]), "float32"), 0.5);
  const rows = mul(cast(reshape(ids, ["b", "t", 1]), "float32"), 0.5);
  const outputs = {
    range: arange("t"),
    moved: shift(ids, 1),
    bias: attentionBias(ids, { causal: true }),
    turned: rotary(x, cos(positions), sin(positions)),
    own: rotary(x, cos(rows), sin(rows)),
  };
  const program = new Program({ inputs: [x, ids], outputs });
  for (const length of [1, 3]) {
    const buffers = {
      x: new TensorBuffer({
        dtype: "float32",
        shape: [2, 1, length, 2],
        data: Float32Array.from({ length: 4 * length }, (_, at) => at),
      }),
      ids: new TensorBuffer({
        dtype: "int32",
        shape: [2, length],
        data: Int32Array.from({ length: 2 * length }, (_, at) => at % length),
      }),
    };
    const results = {
      range: new TensorBuffer({ dtype: "int32", shape: [length] }),
      moved: new TensorBuffer({ dtype: "int32", shape: [2, length] }),
      bias: new TensorBuffer({ dtype: "float32", shape: [2, 1, length, length] }),
      turned: new TensorBuffer({ dtype: "float32", shape: [2, 1, length, 2] }),
      own: new TensorBuffer({ dtype: "float32", shape: [2, 1, length, 2] }),
    };
    await program.bind(buffers, results).run();
    expect([...results.range.data]).toEqual([...Array(length).keys()]);
    expect([...results.moved.data].slice(0, 3)).toEqual(
      [0, 0, 1]
        .slice(0, length)
        .concat(length === 1 ? [0] : [])
        .slice(0, 3),
    );
    expect([...results.bias.data].filter((value) => value === 0)).toHaveLength(2 * length);
    // Positions in the ids count from 0 too, so both ways turn alike; the last pair of row 0 by (length − 1)/2.
    expect(results.own.data).toEqual(results.turned.data);
    const [a, b, angle] = [2 * (length - 1), 2 * (length - 1) + 1, (length - 1) / 2];
    expect(results.turned.data[a]).toBeCloseTo(a * Math.cos(angle) - b * Math.sin(angle), 5);
    expect(results.turned.data[b]).toBeCloseTo(b * Math.cos(angle) + a * Math.sin(angle), 5);
  }
});
