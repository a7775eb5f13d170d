/** Small models that do all that is asked of one, for tests that change something about them. */
import type { Model, ModelInputs, ModelOutputs } from "../../src/models/index.ts";
import { Embedding, type ForwardContext, Linear, Module, normal } from "../../src/nn/index.ts";
import { InvalidOptionError } from "../../src/registry/index.ts";
import {
  add,
  attention,
  attentionBias,
  cachedAttention,
  cast,
  div,
  fill,
  matmul,
  maximum,
  reduceSum,
  reshape,
  slice,
  type Tensor,
} from "../../src/tensor/index.ts";

/** What the three have in common: a vector for each id and its position. */
abstract class Table extends Module {
  abstract readonly task: Model["task"];
  readonly maxPositionEmbeddings: number = 12;
  readonly vocabSize: number;
  config: Record<string, unknown>;
  readonly tokens: Embedding;
  readonly positions: Embedding;
  readonly head: Linear;

  constructor(vocabSize: number, outputs: number, unknown: object) {
    super();
    for (const name of Object.keys(unknown)) throw new InvalidOptionError(name, "unknown option");
    if (!Number.isInteger(vocabSize)) throw new InvalidOptionError("vocabSize", "expected an integer");
    this.vocabSize = vocabSize;
    this.config = { model_type: "table", vocab_size: vocabSize };
    this.tokens = new Embedding(vocabSize, 6, normal(1));
    this.positions = new Embedding(this.maxPositionEmbeddings, 6, normal(1));
    this.head = new Linear(6, outputs);
  }

  /** (B, T, C) */
  hidden({ inputIds, positionIds }: ModelInputs): Tensor {
    const positions = positionIds
      ? this.positions.forward(positionIds)
      : slice(this.positions.weight, 0, 0, inputIds.dim(1));
    return add(this.tokens.forward(inputIds), positions);
  }

  /** The same, each position with what it sees: (B, T, C). */
  mixed(inputs: ModelInputs, causal: boolean): Tensor {
    const x = this.hidden(inputs);
    const heads = reshape(x, [x.dim(0), 1, x.dim(1), 6]);
    const mask = inputs.attentionMask ?? fill(1, "int32", inputs.inputIds.shape);
    return add(
      x,
      reshape(attention(heads, heads, heads, { bias: attentionBias(mask, { causal }) }), x.shape),
    );
  }
}

/** Of each token from those before it. */
export class Right extends Table implements Model {
  readonly task = "causal_lm";
  constructor({ vocabSize, ...unknown }: { vocabSize: number }) {
    super(vocabSize, vocabSize, unknown);
  }

  forward(inputs: ModelInputs, _context: ForwardContext): ModelOutputs {
    return { logits: this.head.forward(this.mixed(inputs, true)) };
  }
}

/** The same with keys and values that can be kept. */
export class RightCached extends Right {
  override forward(inputs: ModelInputs, _context: ForwardContext): ModelOutputs {
    const x = this.hidden(inputs);
    const heads = reshape(x, [x.dim(0), 1, x.dim(1), 6]);
    const mask = inputs.attentionMask ?? fill(1, "int32", inputs.inputIds.shape);
    const bias = attentionBias(mask, { causal: true, queries: x.dim(1) });
    const past = inputs.pastKeyValues?.[0];
    const mixed = past
      ? cachedAttention(heads, heads, heads, { past, bias })
      : attention(heads, heads, heads, { bias });
    return {
      logits: this.head.forward(add(x, reshape(mixed, x.shape))),
      keyValues: [{ key: heads, value: heads }],
    };
  }
}

/** Of each token from all. */
export class RightMasked extends Table implements Model {
  readonly task = "masked_lm";
  constructor({ vocabSize, ...unknown }: { vocabSize: number }) {
    super(vocabSize, vocabSize, unknown);
  }

  forward(inputs: ModelInputs, _context: ForwardContext) {
    return { logits: this.head.forward(this.mixed(inputs, false)) };
  }
}

/** Of the class, from the mean over positions. */
export class RightClassifier extends Table implements Model {
  readonly task = "sequence_classification";
  labels: readonly string[];
  constructor({ vocabSize, labels, ...unknown }: { vocabSize: number; labels: readonly string[] }) {
    super(vocabSize, labels.length, unknown);
    this.labels = labels;
  }

  forward(inputs: ModelInputs, _context: ForwardContext) {
    const x = this.hidden(inputs);
    const [B, T] = [x.dim(0), x.dim(1)];
    const mask = inputs.attentionMask ?? fill(1, "int32", [B, T]);
    const counts = cast(cast(mask, "bool"), "float32");
    const sum = reshape(matmul(reshape(counts, [B, 1, T]), x), [B, 6]);
    return {
      logits: this.head.forward(div(sum, maximum(reduceSum(counts, { axes: [1], keepDims: true }), 1))),
    };
  }
}
