/** Causal attention over long sequences goes block by block, and gives what attention written out gives. */
import { describe, expect, test } from "vitest";
import {
  add,
  attention,
  attentionBias,
  causalAttention,
  constant,
  type DType,
  grad,
  input,
  matmul,
  mul,
  operationsOf,
  Random,
  reduceSum,
  reshape,
  type Shape,
  sizeOf,
  softmax,
  type Tensor,
} from "../../src/tensor/index.ts";
import { evaluate, randomInput } from "./evaluate.ts";

const T = 300;
const D = 4;

/** Two rows, each of three documents and padding. */
const documents = Int32Array.from({ length: 2 * T }, (_, at) => {
  const position = at % T;
  return position > 290 ? 0 : position > (at < T ? 200 : 130) ? 3 : position > 57 ? 2 : 1;
});

type Attend = (q: Tensor, k: Tensor, v: Tensor, dtype: DType) => Tensor;

const bias = (dtype: DType) => attentionBias(constant(documents, "int32", [2, T]), { dtype, causal: true });

/** 0 where j ≤ i and −10⁹ elsewhere, (T, T). */
function later(dtype: DType): Tensor {
  const mask = Float64Array.from({ length: T * T }, (_, at) => (at % T > Math.floor(at / T) ? -1e9 : 0));
  return constant(mask, dtype, [T, T]);
}

/** softmax(q·kᵀ/√D + mask)·v, a tensor operation each. */
function writtenOut(q: Tensor, k: Tensor, v: Tensor, mask: Tensor): Tensor {
  const scores = mul(matmul(q, k, { transposeB: true }), 1 / Math.sqrt(D));
  return matmul(softmax(add(scores, mask)), v);
}

const cases: Record<string, { heads: Shape; keyHeads: Shape; blocks: Attend; plain: Attend }> = {
  "causal attention": {
    heads: [2, 2],
    keyHeads: [2, 2],
    blocks: (q, k, v) => causalAttention(q, k, v),
    plain: (q, k, v, dtype) => writtenOut(q, k, v, later(dtype)),
  },
  "documents apart": {
    heads: [2, 2],
    keyHeads: [2, 2],
    blocks: (q, k, v, dtype) => attention(q, k, v, { bias: bias(dtype) }),
    plain: (q, k, v, dtype) => writtenOut(q, k, v, bias(dtype)),
  },
  "grouped queries": {
    heads: [2, 1, 2],
    keyHeads: [2, 1, 1],
    blocks: (q, k, v) => causalAttention(q, k, v),
    plain: (q, k, v, dtype) => writtenOut(q, k, v, later(dtype)),
  },
  "grouped queries, documents apart": {
    heads: [2, 1, 2],
    keyHeads: [2, 1, 1],
    blocks: (q, k, v, dtype) => attention(q, k, v, { bias: reshape(bias(dtype), [2, 1, 1, T, T]) }),
    plain: (q, k, v, dtype) => writtenOut(q, k, v, reshape(bias(dtype), [2, 1, 1, T, T])),
  },
};

/** What attention gives, and the gradients of a sum of it that weighs every element differently. */
async function outcome(attend: Attend, heads: Shape, keyHeads: Shape, dtype: DType) {
  const random = new Random(7);
  const [q, k, v, w] = [
    ["q", heads],
    ["k", keyHeads],
    ["v", keyHeads],
    ["w", heads],
  ].map(([name, shape]) => randomInput(name as string, [...(shape as number[]), T, D], random, dtype));
  if (!q || !k || !v || !w) throw new Error("four inputs");
  const out = attend(q.tensor, k.tensor, v.tensor, dtype);
  const [dq, dk, dv] = grad(reduceSum(mul(out, w.tensor)), [q.tensor, k.tensor, v.tensor]);
  const values = { q: q.values, k: k.values, v: v.values, w: w.values };
  return { out, results: await evaluate({ out, dq, dk, dv } as Record<string, Tensor>, values) };
}

describe.each(Object.entries(cases))("%s", (_, { heads, keyHeads, blocks, plain }) => {
  test.each([
    ["float64", 1e-12],
    ["float32", 2e-5],
  ] as const)("in %s, values and gradients are those of attention written out", async (dtype, tolerance) => {
    const { out, results } = await outcome(blocks, heads, keyHeads, dtype);
    expect(namesOf([out])).toContain("attentionBlocks");
    const { results: expected } = await outcome(plain, heads, keyHeads, dtype);
    for (const [name, values] of Object.entries(results)) {
      const wanted = expected[name] ?? [];
      const distance = Math.max(...values.map((value, at) => Math.abs(value - (wanted[at] ?? Number.NaN))));
      expect(distance, name).toBeLessThan(tolerance);
    }
  });
});

const namesOf = (outputs: readonly Tensor[]) => operationsOf(outputs).map(({ operator }) => operator.name);

function heads(length: Shape[number]): [Tensor, Tensor, Tensor] {
  const [q, k, v] = ["q", "k", "v"].map((name) => input(name, "float32", [1, 2, length, D]));
  return [q as Tensor, k as Tensor, v as Tensor];
}

describe("what the graph holds", () => {
  const long = 1024;
  const inputs = heads(long);
  const loss = reduceSum(causalAttention(...inputs));
  const gradients = grad(loss, inputs) as Tensor[];

  test("no array is larger than 128 rows of weights", () => {
    const largest = Math.max(
      ...operationsOf([loss, ...gradients]).flatMap(({ outputs }) =>
        outputs.map(({ shape }) => Number(sizeOf(shape))),
      ),
    );
    expect(largest).toBe(2 * 128 * long);
  });

  test("blocks have four numbers of keys, and leave out what comes later", () => {
    const weights = operationsOf([loss]).filter(({ operator }) => operator.name === "attentionWeights");
    expect(weights.map(({ outputs }) => outputs[0]?.dim(-1))).toEqual([
      256, 256, 512, 512, 768, 768, 1024, 1024,
    ]);
  });

  test("the backward pass computes the weights of a block when it has done with those of the one before", () => {
    const forward = new Set(operationsOf([loss]));
    const again = operationsOf(gradients).filter(
      (operation) => operation.operator.name === "attentionWeights" && !forward.has(operation),
    );
    expect(again).toHaveLength(8);
    for (const [index, { inputs: read }] of again.entries()) {
      const before = operationsOf(read).filter((operation) => again.includes(operation));
      expect(before).toEqual(again.slice(0, index));
    }
  });
});

describe("attention as a whole", () => {
  test.each<[string, () => Tensor]>([
    ["of short sequences", () => causalAttention(...heads(255))],
    ["of a length that is not known", () => causalAttention(...heads("sequence_length"))],
    ["in which all see all", () => attention(...heads(512))],
    ["with dropout", () => causalAttention(...heads(512), input("factors", "float32", [1, 2, 512, 512]))],
    [
      "with a bias that may show what comes later",
      () => {
        const mask = attentionBias(input("mask", "int32", [1, 512]));
        return attention(...heads(512), { bias: mask });
      },
    ],
  ])("%s", (_, attend) => {
    expect(namesOf([attend()])).toContain("attention");
  });
});
