import type { Model } from "../models/index.ts";
import { evaluationContext } from "../nn/index.ts";
import { Program, TensorBuffer } from "../runtime/index.ts";
import { gather, input, Random, reshape, type Tensor } from "../tensor/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { checkId } from "./check-id.ts";
import { TrainingError } from "./errors.ts";
import { type SamplingOptions, sampleToken } from "./sampling.ts";
import type { Weights } from "./weights.ts";

export interface GenerationOptions extends SamplingOptions {
  /** Most tokens to write; the end-of-text token ends earlier. */
  readonly maxNewTokens: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Writes text with a causal language model, token by token. Its graph leaves the sequence length free. */
export class TextGenerator {
  readonly #model: Model;
  readonly #tokenizer: Tokenizer;
  readonly #program: Program;

  constructor(model: Model, tokenizer: Tokenizer) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    const inputIds = input("input_ids", "int32", [1, "sequence_length"]);
    const last = input("last", "int32", [1]);
    const { logits } = model.forward({ inputIds }, evaluationContext());
    const rows = reshape(logits, ["sequence_length", model.vocabSize]);
    this.#program = new Program({
      inputs: [inputIds, last, ...model.parameters()] as Tensor[],
      outputs: { logits: gather(rows, last) },
    });
  }

  /**
   * Continues a prompt; yields text as it is written, never half a character.
   *
   * @throws TrainingError when the prompt has no token and the tokenizer no end-of-text token to start from.
   */
  async *generate(prompt: string, weights: Weights, options: GenerationOptions): AsyncGenerator<string> {
    const tokenizer = this.#tokenizer;
    const ids = Array.from(tokenizer.encode(prompt));
    if (ids.length === 0) {
      if (tokenizer.eosTokenId === undefined)
        throw new TrainingError(
          "EMPTY_PROMPT",
          "The prompt has no token, and the tokenizer has no end-of-text token to start from. Give a prompt.",
        );
      ids.push(tokenizer.eosTokenId);
    }
    for (const id of ids) checkId(id, this.#model.vocabSize, "prompt");
    const random = new Random(options.seed);
    const written: number[] = [];
    let shown = "";
    while (written.length < options.maxNewTokens && !options.signal?.aborted) {
      const id = sampleToken(await this.#logits(ids, weights), options, random);
      if (id === tokenizer.eosTokenId) break;
      ids.push(id);
      written.push(id);
      // A character can be spread over several tokens: what ends in a replacement character may not be complete.
      const text = tokenizer.decode(written);
      if (!text.startsWith(shown) || text.endsWith("\uFFFD")) continue;
      if (text.length > shown.length) yield text.slice(shown.length);
      shown = text;
    }
    const text = tokenizer.decode(written);
    // A tokenizer may decode a longer list to a text that begins differently: what is new is still shown.
    let common = 0;
    while (common < shown.length && text[common] === shown[common]) common++;
    if (text.length > common) yield text.slice(common);
  }

  /** Logits of the token after `ids`, shape (V). Sees the last `maxPositionEmbeddings` ids. */
  async #logits(ids: readonly number[], weights: Weights): Promise<Float32Array> {
    const context = ids.slice(-this.#model.maxPositionEmbeddings);
    const inputs = {
      input_ids: new TensorBuffer({
        dtype: "int32",
        shape: [1, context.length],
        data: Int32Array.from(context),
      }),
      last: new TensorBuffer({ dtype: "int32", shape: [1], data: Int32Array.of(context.length - 1) }),
      ...weights,
    };
    const logits = new TensorBuffer({ dtype: "float32", shape: [1, this.#model.vocabSize] });
    await this.#program.bind(inputs, { logits }).run();
    // A model may know more ids than the tokenizer has texts for.
    return logits.data.subarray(0, this.#tokenizer.vocabSize);
  }
}
