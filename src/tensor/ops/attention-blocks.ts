import { defineOperator, type Tensor } from "../tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { attentionWeights } from "./attention-weights.ts";
import { concat, splitInto } from "./concat.ts";
import { matmul } from "./matmul.ts";
import { reduceSum, sumTo } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";

interface BlockAttributes {
  readonly scale: number;
  /** Whether there is a bias, which then hides from each position what comes after it: no mask is added besides. */
  readonly bias: boolean;
}

/** Queries of a block; the last may have fewer. */
const ROWS = 128;

/** Queries that are looked at together, and how many keys, from the first on, they are multiplied with. */
interface Block {
  readonly start: number;
  readonly rows: number;
  readonly keys: number;
}

/**
 * Different numbers of keys among the blocks of a long sequence. ONNX Runtime gives the memory of an array that is done with
 * to a later one of the same shape and keeps it until then. With as many shapes as blocks, half of the T × T matrix would stay
 * in memory (T = 2048, blocks of 128, 2 layers of 384: 706 MB; with four 473 MB; all keys for all 461 MB, twice the products).
 */
const WIDTHS = 4;

function blocksOf(query: Tensor): Block[] {
  const length = query.dim(-2) as number;
  const step = ROWS * Math.ceil(length / (WIDTHS * ROWS));
  return Array.from({ length: Math.ceil(length / ROWS) }, (_, index) => {
    const start = index * ROWS;
    const end = Math.min(length, start + ROWS);
    return { start, rows: end - start, keys: Math.min(length, step * Math.ceil(end / step)) };
  });
}

/**
 * Joins what the blocks give. What it reads is also what they were computed from: the gradient flows there, past the blocks,
 * whose weights are not kept but computed again.
 */
const join = defineOperator<BlockAttributes>({
  name: "attentionBlocks",
  infer: ([query]) => [{ dtype: (query as Tensor).dtype, shape: (query as Tensor).shape }],
  gradient: ({ inputs, outputs: [out], attributes, outputGradients: [dOut], needed }) => {
    if (dOut === undefined) return [];
    // Were they the same tensors, ONNX Runtime would find the parts that the forward pass cut out of them, and keep those.
    const [query, key, value] = inputs.slice(0, 3).map((x) => after([dOut], x)) as [Tensor, Tensor, Tensor];
    const bias = attributes.bias ? inputs[3] : undefined;
    const { scale } = attributes;
    // As where all is one block: rowsum(dP·P) equals rowsum(dO·O).
    const products = reduceSum(mul(dOut, out as Tensor), { axes: [-1], keepDims: true });
    const dQueries: Tensor[] = [];
    const [dKeys, dValues] = [new Sums(), new Sums()];
    let done: Tensor[] = [];
    // From the last block, which sees all keys, to the first: what a block does not see has all of its gradient by then.
    for (const block of blocksOf(query).reverse()) {
      const { start, rows, keys } = block;
      const queries = after(done, slice(query, -2, start, rows));
      const dO = after(done, slice(dOut, -2, start, rows));
      const [seenKeys, seenValues] = [slice(key, -2, 0, keys), slice(value, -2, 0, keys)];
      const weights = weightsOf(queries, seenKeys, bias, block, scale);
      if (needed(2)) dValues.add(sumTo(matmul(weights, dO, { transposeA: true }), seenValues.shape));
      const dWeights = matmul(dO, seenValues, { transposeB: true });
      const dScores = mul(sub(dWeights, slice(products, -2, start, rows)), weights);
      if (needed(0)) dQueries.unshift(matmul(dScores, seenKeys, { scale }));
      if (needed(1)) dKeys.add(sumTo(matmul(dScores, queries, { transposeA: true, scale }), seenKeys.shape));
      done = [dQueries[0], dKeys.open, dValues.open].filter((tensor) => tensor !== undefined);
    }
    return [
      needed(0) ? concat(dQueries, -2) : undefined,
      needed(1) ? dKeys.whole() : undefined,
      needed(2) ? dValues.whole() : undefined,
    ];
  },
  lower: (lowering, inputs, { inputs: [query], attributes: { bias } }) => {
    const axis = { int: (query as Tensor).rank - 2 };
    return lowering.node("Concat", inputs.slice(bias ? 4 : 3), { attributes: { axis } });
  },
});

/** The weights of a block's queries on the keys that they see. */
function weightsOf(
  queries: Tensor,
  keys: Tensor,
  bias: Tensor | undefined,
  block: Block,
  scale: number,
): Tensor {
  const { start, rows } = block;
  return bias
    ? attentionWeights(queries, keys, slice(slice(bias, -2, start, rows), -1, 0, block.keys), { scale })
    : attentionWeights(queries, keys, undefined, { scale, firstSees: start + 1 });
}

/**
 * `x` once `done` are there. ONNX Runtime may compute independent things in any order, and would hold the weights of all
 * blocks at once; it cannot know that what is added here is 0.
 */
function after(done: readonly Tensor[], x: Tensor): Tensor {
  if (done.length === 0) return x;
  const first = (tensor: Tensor) => reshape(slice(reshape(tensor, [-1]), 0, 0, 1), []);
  const numbers = done.map(first);
  return add(
    x,
    mul(
      numbers.reduce((sum, number) => add(sum, number)),
      0,
    ),
  );
}

/** Sums over axis −2 of tensors each of which is no longer than the one before. */
class Sums {
  /** What later, shorter ones add to. */
  open: Tensor | undefined;
  readonly #finished: Tensor[] = [];

  add(x: Tensor): void {
    const length = x.dim(-2) as number;
    const before = this.open?.dim(-2) as number | undefined;
    if (this.open === undefined || before === undefined) this.open = x;
    else if (before === length) this.open = add(this.open, x);
    else {
      const [start, rest] = splitInto(this.open, [length, before - length], -2) as [Tensor, Tensor];
      this.open = add(start, x);
      this.#finished.unshift(rest);
    }
  }

  whole(): Tensor {
    return concat([this.open as Tensor, ...this.#finished], -2);
  }
}

/**
 * Causal attention, a block of queries at a time, each on the keys that it may see: neither pass holds more than a few blocks'
 * worth of the T × T weights, and almost half of the products are left out. The backward pass computes the weights of a block
 * again (Dao 2023, "FlashAttention-2", algorithm 2, with whole rows of weights in place of their log-sum-exp).
 *
 * @param inputs query, key, value and bias as in `attention`, which chooses this form; T is a number, and a bias hides from each
 *   position what comes after it.
 */
export function attentionInBlocks(
  [query, key, value, bias]: readonly [Tensor, Tensor, Tensor, Tensor | undefined],
  scale: number,
): Tensor {
  const parts = blocksOf(query).map((block) => {
    const queries = slice(query, -2, block.start, block.rows);
    const weights = weightsOf(queries, slice(key, -2, 0, block.keys), bias, block, scale);
    return matmul(weights, slice(value, -2, 0, block.keys));
  });
  const inputs = [query, key, value, ...(bias ? [bias] : []), ...parts];
  return join(inputs, { scale, bias: bias !== undefined })[0];
}
