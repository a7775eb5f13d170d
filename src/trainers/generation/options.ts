import { TrainingError } from "../errors.ts";

/** How a token is chosen, by the names of Hugging Face's `GenerationConfig`. */
export interface SamplingOptions {
  /** Divides the logits; 0 always takes the most likely token. Default 1. */
  readonly temperature?: number | undefined;
  /** Only the k most likely tokens (Fan et al. 2018). */
  readonly topK?: number | undefined;
  /** Only the most likely tokens that together reach this probability (Holtzman et al. 2020). */
  readonly topP?: number | undefined;
  /** Only tokens that are at least so likely beside the most likely one (Nguyen et al. 2024). */
  readonly minP?: number | undefined;
  /** Tokens of the text so far become less likely by this factor on their logits (Keskar et al. 2019). Default 1: none. */
  readonly repetitionPenalty?: number | undefined;
}

/** How text is written, by the names of Hugging Face's `GenerationConfig`. */
export interface GenerationOptions extends SamplingOptions {
  /** Most tokens to write; the end-of-text token or a stop string ends earlier. */
  readonly maxNewTokens: number;
  /** Equal seeds write equal texts. */
  readonly seed: number;
  /** False always takes the most likely token, as does temperature 0. Default true. */
  readonly doSample?: boolean | undefined;
  /** The text ends before the first of these that is written, wherever tokens begin and end. */
  readonly stopStrings?: readonly string[] | undefined;
  /** Keep keys and values of what was read, where the model gives them. Default true. */
  readonly useCache?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BatchGenerationOptions extends GenerationOptions {
  /** Texts of each prompt, drawn independently. Default 1. */
  readonly numReturnSequences?: number | undefined;
  /** Texts that are written at the same time; what they say does not depend on it. Default 8. */
  readonly batchSize?: number | undefined;
}

interface Range {
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
  readonly whole?: true;
}

const ranges: Partial<Readonly<Record<keyof BatchGenerationOptions, Range>>> = {
  maxNewTokens: { min: 0, whole: true },
  temperature: { min: 0 },
  topK: { min: 1, whole: true },
  topP: { min: 0, max: 1 },
  minP: { min: 0, max: 1 },
  repetitionPenalty: { above: 0 },
  numReturnSequences: { min: 1, whole: true },
  batchSize: { min: 1, whole: true },
};

/** @throws TrainingError naming the first option that cannot be. */
export function checkGenerationOptions(options: BatchGenerationOptions): void {
  for (const [name, range] of Object.entries(ranges)) {
    const value: unknown = options[name as keyof BatchGenerationOptions];
    const {
      min = Number.NEGATIVE_INFINITY,
      above = Number.NEGATIVE_INFINITY,
      max = Number.POSITIVE_INFINITY,
      whole,
    } = range;
    const fits =
      value === undefined
        ? name !== "maxNewTokens"
        : typeof value === "number" &&
          value >= min &&
          value > above &&
          value <= max &&
          (whole ? Number.isInteger(value) || value === Number.POSITIVE_INFINITY : Number.isFinite(value));
    if (!fits) throw badOption(name, value, `${whole ? "a whole number" : "a number"} ${rangeText(range)}`);
  }
  for (const text of options.stopStrings ?? [])
    if (typeof text !== "string" || text === "")
      throw badOption("stopStrings", text, "texts that are not empty");
}

function rangeText({ min, above, max }: Range): string {
  if (above !== undefined) return `above ${above}`;
  return max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
}

function badOption(name: string, value: unknown, expected: string): TrainingError {
  return new TrainingError("BAD_OPTION", `${name} is ${JSON.stringify(value)}; expected ${expected}.`);
}
