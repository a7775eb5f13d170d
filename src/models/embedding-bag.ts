import { z } from "zod";
import { Embedding, Linear, Module, uniform, zeros } from "../nn/index.ts";
import {
  add,
  cast,
  div,
  equal,
  fill,
  gather,
  matmul,
  maximum,
  modulo,
  mul,
  reduceSum,
  reshape,
  shift,
  sub,
  type Tensor,
} from "../tensor/index.ts";
import { defineModel, type Model, type ModelInputs, type ModelOutputs } from "./index.ts";
import { labelConfig, labelsOption } from "./labels.ts";

const size = z.int().positive();

const options = z.strictObject({
  vocabSize: size.describe("Ids that the model knows. The run fills in the tokenizer's."),
  labels: labelsOption,
  hiddenSize: size.default(100).describe("Length of a token's vector."),
  wordNgrams: size
    .max(8)
    .default(1)
    .describe(
      "Longest run of tokens that has a vector of its own: 2 looks at pairs too, which tell some of the order.",
    ),
  buckets: size
    .max(2 ** 24)
    .default(2 ** 16)
    .describe(
      "Vectors that all runs of two tokens and more share, by their hash. None where wordNgrams is 1.",
    ),
});

type EmbeddingBagOptions = z.output<typeof options>;

/**
 * The classifier of fastText: the mean of the vectors of tokens and, with `wordNgrams`, of runs of tokens; then a linear layer.
 * Runs share `buckets` vectors by their hash. It reads texts of any length. Source: Joulin et al. (2016),
 * "Bag of Tricks for Efficient Text Classification".
 */
export const embeddingBag = defineModel({
  description:
    "fastText's classifier: the mean of token and n-gram vectors, then a linear layer (Joulin et al. 2016).",
  options,
  create: (given) => new EmbeddingBagForSequenceClassification(given),
});

/** Odd, so that multiplying by it modulo 2³² loses nothing; the low bits of products with small ids look random. */
const MULTIPLIER = 0x9e3779b1 | 0;

class EmbeddingBagForSequenceClassification extends Module implements Model {
  readonly task = "sequence_classification";
  /** Rows from `vocabSize` on are the buckets of n-grams. */
  readonly embedding: Embedding;
  readonly classifier: Linear;
  readonly labels: readonly string[];
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number = Number.POSITIVE_INFINITY;
  readonly config: Readonly<Record<string, unknown>>;
  readonly #wordNgrams: number;
  readonly #buckets: number;

  constructor({ vocabSize, labels, hiddenSize, wordNgrams, buckets }: EmbeddingBagOptions) {
    super();
    const rows = vocabSize + (wordNgrams > 1 ? buckets : 0);
    this.embedding = new Embedding(rows, hiddenSize, uniform(1 / hiddenSize));
    this.classifier = new Linear(hiddenSize, labels.length, { initialize: zeros });
    this.labels = labels;
    this.vocabSize = vocabSize;
    this.#wordNgrams = wordNgrams;
    this.#buckets = buckets;
    this.config = {
      model_type: "embedding_bag",
      architectures: ["EmbeddingBagForSequenceClassification"],
      vocab_size: vocabSize,
      hidden_size: hiddenSize,
      word_ngrams: wordNgrams,
      buckets,
      ...labelConfig(labels),
    };
  }

  forward({ inputIds, attentionMask }: ModelInputs): ModelOutputs {
    const mask = attentionMask ?? fill(1, "int32", inputIds.shape); //                          (B, T)
    let ids = inputIds;
    let counts = cast(cast(mask, "bool"), "float32"); //  1 where a token, or later an n-gram, ends; else 0
    let [sum, total] = [this.#sum(ids, counts), countOf(counts)]; //                            (B, C), (B, 1)
    if (this.#wordNgrams > 1) {
      // A run ends here that goes on from the position before, if both are of one document.
      const goesOn = cast(equal(sub(mask, shift(mask, 1)), 0), "float32");
      for (let length = 2; length <= this.#wordNgrams; length++) {
        ids = add(mul(shift(ids, 1), MULTIPLIER), inputIds); // modulo 2³²
        counts = mul(shift(counts, 1), goesOn);
        const rows = add(modulo(ids, this.#buckets), this.vocabSize);
        [sum, total] = [add(sum, this.#sum(rows, counts)), add(total, countOf(counts))];
      }
    }
    return { logits: this.classifier.forward(div(sum, maximum(total, 1))) }; //                 (B, L)
  }

  /** Σₜ counts[t] · vector of row ids[t], as a product: (B, 1, T) · (B, T, C) → (B, C). */
  #sum(ids: Tensor, counts: Tensor): Tensor {
    const [B, T] = [ids.dim(0), ids.dim(1)];
    const vectors = gather(this.embedding.weight, ids);
    return reshape(matmul(reshape(counts, [B, 1, T]), vectors), [B, vectors.dim(2)]);
  }
}

function countOf(counts: Tensor): Tensor {
  return reduceSum(counts, { axes: [1], keepDims: true });
}
