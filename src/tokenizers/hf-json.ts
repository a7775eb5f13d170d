import { z } from "zod";
import { TokenizerError } from "./errors.ts";
import { type SpecialRole, type SpecialRoles, specialRoles } from "./special-tokens.ts";

/**
 * The two files in which Hugging Face libraries keep a tokenizer. `tokenizer.json` is the whole of it: the Rust
 * `tokenizers` library and its ports build the same pipeline from it. `tokenizer_config.json` names the special tokens.
 */
export const TOKENIZER_JSON = "tokenizer.json";
export const TOKENIZER_CONFIG_JSON = "tokenizer_config.json";

/** The parts of `tokenizer.json` in which our tokenizers differ. */
export interface TokenizerPipeline {
  /** Tokens that Hugging Face libraries find in text as a whole. */
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly normalizer?: Step | null;
  readonly preTokenizer: Step;
  readonly postProcessor?: Step | null;
  readonly decoder: Step | null;
  readonly model: Step;
  readonly roles: SpecialRoles;
}

type Step = Readonly<Record<string, unknown>>;

/** GPT-2's byte-level step, the same in all three places. `use_regex`: whether it cuts the text into words. */
export function byteLevel(useRegex: boolean): Readonly<Record<string, unknown>> {
  return { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

/** Gives both files by name. Special tokens are found in text by Hugging Face libraries, and never by ours. */
export function writeTokenizerFiles(pipeline: TokenizerPipeline): Readonly<Record<string, string>> {
  const addedTokens = Object.entries(pipeline.specialTokens)
    .sort(([, a], [, b]) => a - b)
    .map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    }));
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer: pipeline.normalizer ?? null,
    pre_tokenizer: pipeline.preTokenizer,
    post_processor: pipeline.postProcessor ?? null,
    decoder: pipeline.decoder,
    model: pipeline.model,
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    ...pipeline.roles,
  };
  return {
    [TOKENIZER_JSON]: `${JSON.stringify(tokenizer, null, 2)}\n`,
    [TOKENIZER_CONFIG_JSON]: `${JSON.stringify(config, null, 2)}\n`,
  };
}

const tokenText = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)])
  .nullish();
const configSchema = z.looseObject({
  eos_token: tokenText,
  pad_token: tokenText,
  cls_token: tokenText,
  sep_token: tokenText,
  mask_token: tokenText,
  unk_token: tokenText,
} satisfies Record<SpecialRole, unknown>);

/** Token → id. Not `z.record`, which drops a token that is spelt `__proto__`; {@link tokensById} checks the ids. */
export const vocabularySchema = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "expected an object of ids by token",
);

/** Added tokens that are not special would have to be looked for in every text; none of our tokenizers does. */
export const addedTokensSchema = z
  .array(z.looseObject({ id: z.int().min(0), content: z.string().min(1), special: z.literal(true) }))
  .default([]);

/** Fields without which a pipeline is ours: no normaliser, and nothing that adds tokens to what was encoded. */
export const plainPipeline = {
  normalizer: z.null().optional(),
  post_processor: z.looseObject({ type: z.literal("ByteLevel") }).nullish(),
  added_tokens: addedTokensSchema,
};

/**
 * Reads `tokenizer.json` as `schema` describes it.
 *
 * @throws TokenizerError `TOKENIZER_BAD_FILE`: the file is absent, is not JSON, or holds another kind of tokenizer; names the
 * field.
 */
export function readTokenizerJson<Output>(
  files: Readonly<Record<string, string>>,
  schema: z.ZodType<Output>,
  tokenizer: string,
): Output {
  const text = files[TOKENIZER_JSON];
  if (text === undefined)
    throw new TokenizerError(
      "TOKENIZER_BAD_FILE",
      `the ${tokenizer} tokenizer is restored from ${TOKENIZER_JSON}, which is not among the files given: ` +
        `${Object.keys(files).join(", ") || "none"}.`,
    );
  return parse(TOKENIZER_JSON, text, schema, tokenizer);
}

/** Which tokens `tokenizer_config.json` gives a role, if that file is there. */
export function readRoles(files: Readonly<Record<string, string>>, tokenizer: string): SpecialRoles {
  const text = files[TOKENIZER_CONFIG_JSON];
  if (text === undefined) return {};
  const config = parse(TOKENIZER_CONFIG_JSON, text, configSchema, tokenizer);
  const roles: Partial<Record<SpecialRole, string>> = {};
  for (const role of specialRoles) {
    const token = config[role];
    if (typeof token === "string") roles[role] = token;
  }
  return roles;
}

function parse<Output>(file: string, text: string, schema: z.ZodType<Output>, tokenizer: string): Output {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError("TOKENIZER_BAD_FILE", `${file} is not JSON: ${(cause as Error).message}.`, {
      cause,
    });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new TokenizerError(
    "TOKENIZER_BAD_FILE",
    `${file} does not hold a tokenizer that \`${tokenizer}\` can be:\n${problems.slice(0, 5).join("\n")}`,
    { cause: result.error },
  );
}

/**
 * Puts tokens in the order of their ids.
 *
 * @throws TokenizerError `TOKENIZER_BAD_FILE` unless the ids are 0 … n − 1, each once.
 */
export function tokensById(vocabulary: Iterable<readonly [string, unknown]>): readonly string[] {
  const entries = [...vocabulary];
  const tokens = new Array<string | undefined>(entries.length);
  for (const [token, id] of entries) {
    const place = typeof id === "number" && Number.isInteger(id) && id >= 0 && id < entries.length;
    if (!place || tokens[id] !== undefined)
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON} gives the token ${JSON.stringify(token)} the id ${id}: the ${entries.length} tokens must ` +
          `have the ids 0 to ${entries.length - 1}, each once.`,
      );
    tokens[id] = token;
  }
  return tokens.map((token) => token ?? "");
}
