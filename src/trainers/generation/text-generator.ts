import type { Model } from "../../models/index.ts";
import type { Device } from "../../runtime/index.ts";
import { Random } from "../../tensor/index.ts";
import type { Tokenizer } from "../../tokenizers/index.ts";
import { checkId } from "../check-id.ts";
import { TrainingError } from "../errors.ts";
import type { Weights } from "../weights.ts";
import { CachedDecoder, type DecodedRow, type Decoder, RecomputingDecoder } from "./decoder.ts";
import { DecoderGraphs } from "./decoder-graphs.ts";
import { type BatchGenerationOptions, checkGenerationOptions, type GenerationOptions } from "./options.ts";
import { sampleToken } from "./sampling.ts";
import { TextStream } from "./text-stream.ts";

/** Why a text ends, as Hugging Face's inference servers call it; `aborted` is the signal's doing. */
export type FinishReason = "length" | "eos_token" | "stop_sequence" | "aborted";

/** A piece of one of several texts. The pieces of a text, put together, are what follows its prompt. */
export interface GeneratedPiece {
  /** Which of the prompts it goes on from. */
  readonly prompt: number;
  /** Which of that prompt's texts it belongs to, below `numReturnSequences`. */
  readonly sequence: number;
  readonly text: string;
  /** In the last piece of a text. */
  readonly finishReason?: FinishReason;
}

/** A text under way. */
interface Row extends DecodedRow {
  readonly prompt: number;
  readonly sequence: number;
  readonly ids: number[];
  readonly random: Random;
  readonly stream: TextStream;
}

/**
 * Writes text with a causal language model, token by token. Its graphs leave batch size and lengths free: they are compiled
 * once and serve every prompt, and any weights.
 */
export class TextGenerator {
  readonly #model: Model;
  readonly #tokenizer: Tokenizer;
  readonly #graphs: DecoderGraphs;

  /**
   * @param constantWeights the only weights that it will be given, where they never change (a trained run's, not those of a
   * training that goes on): tokens then come faster, and the weights' matrices take as much memory again.
   * @param device what computes, and has the weights. Default: the CPU.
   */
  constructor(model: Model, tokenizer: Tokenizer, constantWeights?: Weights, device?: Device) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#graphs = new DecoderGraphs(model, constantWeights, device);
  }

  /** Whether the model gives keys and values to keep, so that a token costs one position and not all. */
  get hasCache(): boolean {
    return this.#graphs.layers.length > 0;
  }

  /**
   * Continues a prompt; yields text as it is written, never half a character.
   *
   * @throws TrainingError when the prompt has no token and the tokenizer no end-of-text token to start from, or an option
   * cannot be.
   */
  async *generate(prompt: string, weights: Weights, options: GenerationOptions): AsyncGenerator<string> {
    for await (const { text } of this.generateBatch([prompt], weights, { ...options, numReturnSequences: 1 }))
      if (text !== "") yield text;
  }

  /**
   * Continues several prompts at once; yields pieces as they are written, those of different texts mixed. What is written for
   * a prompt depends neither on the others nor on the batch: only on the prompt, the seed and the number of the sequence.
   *
   * @throws TrainingError as {@link generate}.
   */
  async *generateBatch(
    prompts: readonly string[],
    weights: Weights,
    options: BatchGenerationOptions,
  ): AsyncGenerator<GeneratedPiece> {
    checkGenerationOptions(options);
    const { numReturnSequences = 1, batchSize = 8, seed, stopStrings } = options;
    const tokens = prompts.map((prompt) => this.#encode(prompt));
    const waiting = tokens.flatMap((ids, prompt) =>
      Array.from(
        { length: numReturnSequences },
        (_, sequence): Row => ({
          prompt,
          sequence,
          ids: [...ids],
          promptLength: ids.length,
          random: sequence === 0 ? new Random(seed) : new Random(seed, sequence),
          stream: new TextStream(this.#tokenizer, stopStrings),
        }),
      ),
    );
    for (let at = 0; at < waiting.length; at += batchSize)
      yield* this.#write(waiting.slice(at, at + batchSize), weights, options);
  }

  #encode(prompt: string): number[] {
    const ids = Array.from(this.#tokenizer.encode(prompt));
    if (ids.length === 0) {
      if (this.#tokenizer.eosTokenId === undefined)
        throw new TrainingError(
          "EMPTY_PROMPT",
          "The prompt has no token, and the tokenizer has no end-of-text token to start from. Give a prompt.",
        );
      ids.push(this.#tokenizer.eosTokenId);
    }
    for (const id of ids) checkId(id, this.#model.vocabSize, "prompt");
    return ids;
  }

  /** Writes texts side by side, each until it ends. */
  async *#write(
    rows: readonly Row[],
    weights: Weights,
    options: BatchGenerationOptions,
  ): AsyncGenerator<GeneratedPiece> {
    const sampling = options.doSample === false ? { ...options, temperature: 0 } : options;
    const decoder: Decoder =
      this.hasCache && options.useCache !== false
        ? new CachedDecoder(this.#graphs, weights)
        : new RecomputingDecoder(this.#graphs, weights);
    const { vocabSize } = this.#model;
    let writing: Row[] = [...rows];
    while (writing.length > 0) {
      const going: Row[] = [];
      for (const row of writing) {
        if (options.signal?.aborted) yield lastPiece(row, "aborted");
        else if (row.stream.length >= options.maxNewTokens) yield lastPiece(row, "length");
        else going.push(row);
      }
      if (going.length === 0) return;
      const logits = await decoder.logits(going);
      writing = [];
      for (const [at, row] of going.entries()) {
        // A model may know more ids than the tokenizer has texts for.
        const known = Math.min(vocabSize, this.#tokenizer.vocabSize);
        const scores = logits.subarray(at * vocabSize, at * vocabSize + known);
        const id = sampleToken(scores, sampling, row.random, row.ids);
        if (id === this.#tokenizer.eosTokenId) {
          yield lastPiece(row, "eos_token");
          continue;
        }
        row.ids.push(id);
        const text = row.stream.push(id);
        if (row.stream.isStopped) {
          yield lastPiece(row, "stop_sequence");
          continue;
        }
        if (text !== "") yield { prompt: row.prompt, sequence: row.sequence, text };
        writing.push(row);
      }
    }
  }
}

function lastPiece({ prompt, sequence, stream }: Row, finishReason: FinishReason): GeneratedPiece {
  return { prompt, sequence, text: stream.end(), finishReason };
}
