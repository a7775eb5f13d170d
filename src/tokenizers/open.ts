import { z } from "zod";
import type { Definition } from "../registry/index.ts";
import { bpe } from "./bpe.ts";
import { byte } from "./byte.ts";
import { char } from "./char.ts";
import { TokenizerError } from "./errors.ts";
import { readTokenizerJson } from "./hf-json.ts";
import type { Tokenizer } from "./index.ts";
import { PipelineTokenizer } from "./pipeline/pipeline-tokenizer.ts";
import { unigram } from "./unigram.ts";
import { whitespace } from "./whitespace.ts";
import { wordpiece } from "./wordpiece.ts";

const schema = z.looseObject({ model: z.looseObject({ type: z.string().optional() }) });

// biome-ignore lint/suspicious/noExplicitAny: definitions of every option type share one list.
type AnyDefinition = Definition<Tokenizer, any, any>;

/** Our own tokenizers by the `model.type` of their files. */
const own: Readonly<Record<string, readonly AnyDefinition[]>> = {
  BPE: [byte, bpe],
  WordLevel: [char, whitespace],
  WordPiece: [wordpiece],
  Unigram: [unigram],
};

/**
 * The tokenizer that a `tokenizer.json` holds: one of ours where it can be, which is faster; else what
 * its steps say, one by one.
 *
 * @throws TokenizerError `TOKENIZER_BAD_FILE`.
 */
export function openTokenizer(files: Readonly<Record<string, string>>): Tokenizer {
  const { type = "" } = readTokenizerJson(files, schema, "hf").model;
  for (const definition of Object.hasOwn(own, type) ? (own[type] ?? []) : []) {
    const tokenizer = withDefaults(definition);
    try {
      tokenizer.load?.(files);
      return tokenizer;
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
    }
  }
  return new PipelineTokenizer(files);
}

/** Files stand in for the options, so those are the default ones. */
function withDefaults({ options, create }: AnyDefinition): Tokenizer {
  const validated = options?.["~standard"].validate({});
  const defaults = validated !== undefined && "value" in validated ? validated.value : {};
  return create(defaults, { directory: "." }) as Tokenizer;
}
