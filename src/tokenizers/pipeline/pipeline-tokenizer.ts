import { z } from "zod";
import { readBytes, spellBytes } from "../byte-alphabet.ts";
import { unknownId } from "../errors.ts";
import { readRoles, readTokenizerJson } from "../hf-json.ts";
import { IdBuffer } from "../id-buffer.ts";
import type { Tokenizer } from "../index.ts";
import { rolesByText, type SpecialIds, specialIds } from "../special-tokens.ts";
import { WithSpecialIds } from "../with-special-ids.ts";
import { WordCache } from "../word-cache.ts";
import { type AddedToken, addedTokenSchema, type Section, tokenFinder } from "./added-tokens.ts";
import { type DecodeStep, decoderStep } from "./decoders.ts";
import { modelSchema } from "./models.ts";
import { normalizerStep, type TextStep } from "./normalizers.ts";
import { type CutStep, preTokenizerStep } from "./pre-tokenizers.ts";

const schema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: normalizerStep,
  pre_tokenizer: preTokenizerStep,
  decoder: decoderStep,
  model: modelSchema,
});

/**
 * A tokenizer that none of our own can be, step by step as its `tokenizer.json` says: the ids and the text are those of Hugging
 * Face's Rust library, but that special tokens are never found in text (the one for unknown words is, as there), and that
 * nothing is added around a text, cut off or filled up: trainers do that.
 */
export class PipelineTokenizer extends WithSpecialIds implements Tokenizer {
  readonly vocabSize: number;
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly byteLength: ((id: number) => number) | undefined;
  protected readonly ids: SpecialIds;
  readonly #findRaw: (text: string) => Section[];
  readonly #findNormal: (text: string) => Section[];
  readonly #normalize: TextStep | undefined;
  readonly #cut: CutStep | undefined;
  readonly #decode: DecodeStep | undefined;
  readonly #words: WordCache;
  /** Token of each id; ids may be missing in between. */
  readonly #tokens: ReadonlyMap<number, string>;

  /** @throws TokenizerError `TOKENIZER_BAD_FILE`: names the step that it does not know, or what is wrong with one. */
  constructor(files: Readonly<Record<string, string>>) {
    super();
    const json = readTokenizerJson(files, schema, "hf");
    const { model, added_tokens: added } = json;
    const special = added.filter((token) => token.special && token.content !== model.unknown);
    const found = added.filter((token) => !special.includes(token));
    this.#normalize = json.normalizer ?? undefined;
    this.#cut = json.pre_tokenizer ?? undefined;
    this.#decode = json.decoder ?? undefined;
    const isNormal = ({ normalized }: AddedToken) => normalized && this.#normalize !== undefined;
    this.#findRaw = tokenFinder(found.filter((one) => !isNormal(one)).map((one) => [one.content, one]));
    this.#findNormal = tokenFinder(
      found.filter(isNormal).map((one) => [this.#normalize?.(one.content) ?? "", one]),
    );
    const specialTexts = new Set(special.map(({ content }) => content));
    this.#words = new WordCache(model.encoder(specialTexts));
    const tokens = new Map([...model.idOf].map(([token, id]) => [id, token]));
    for (const { id, content } of added) tokens.set(id, content);
    this.#tokens = tokens;
    this.vocabSize = [...tokens.keys()].reduce((largest, id) => Math.max(largest, id), -1) + 1;
    this.specialTokens = Object.fromEntries(special.map(({ content, id }) => [content, id]));
    const roles = { ...rolesByText(specialTexts), ...readRoles(files, "hf") };
    this.ids = specialIds(this.specialTokens, roles);
    if (isByteExact(files, found, model.idOf)) this.byteLength = (id) => this.#bytesOf(id);
  }

  encode(text: string): Int32Array {
    const ids = new IdBuffer(text.length >> 2);
    // Surrogates that are alone become U+FFFD, as always in UTF-8.
    for (const [at, section] of this.#findRaw(text.replace(/\p{Surrogate}/gu, "\uFFFD")).entries()) {
      if (typeof section === "number") ids.append(Int32Array.of(section));
      else this.#encodeSection(section, at === 0, ids);
    }
    return ids.toArray();
  }

  /** @throws TokenizerError `TOKENIZER_UNKNOWN_ID`. */
  decode(ids: Iterable<number>): string {
    const tokens: string[] = [];
    for (const id of ids) {
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabSize) throw unknownId("hf", id, this.vocabSize);
      const token = this.#tokens.get(id);
      if (token !== undefined) tokens.push(token);
    }
    return this.#decode === undefined ? tokens.join(" ") : this.#decode(tokens).join("");
  }

  #encodeSection(text: string, isFirst: boolean, ids: IdBuffer): void {
    const normal = this.#normalize?.(text) ?? text;
    for (const [at, section] of this.#findNormal(normal).entries()) {
      if (typeof section === "number") ids.append(Int32Array.of(section));
      else if (section !== "")
        for (const word of this.#cut?.(section, isFirst && at === 0) ?? [section])
          if (word !== "") ids.append(this.#words.get(word));
    }
  }

  #bytesOf(id: number): number {
    if (!Number.isInteger(id) || id < 0 || id >= this.vocabSize) throw unknownId("hf", id, this.vocabSize);
    const token = this.#tokens.get(id) ?? "";
    if (Object.hasOwn(this.specialTokens, token)) return 0;
    return readBytes(token)?.length ?? Buffer.byteLength(token, "utf8");
  }
}

/** The steps that a byte-level tokenizer is made of, as far as they lose and add nothing. */
const exactCut: z.ZodType<unknown> = z.lazy(() =>
  z.union([
    z.looseObject({ type: z.literal("ByteLevel"), add_prefix_space: z.literal(false) }),
    z.looseObject({ type: z.literal("Split"), behavior: z.string().refine((how) => how !== "Removed") }),
    z.looseObject({
      type: z.literal("Punctuation"),
      behavior: z.string().refine((how) => how !== "Removed"),
    }),
    z.looseObject({ type: z.literal("Digits") }),
    z.looseObject({ type: z.literal("Sequence"), pretokenizers: z.array(exactCut) }),
  ]),
);
const exactSchema = z.looseObject({
  normalizer: z.null().optional(),
  pre_tokenizer: exactCut,
  decoder: z.looseObject({ type: z.literal("ByteLevel") }),
  model: z.looseObject({
    type: z.literal("BPE"),
    continuing_subword_prefix: z.literal("").nullish(),
    end_of_word_suffix: z.literal("").nullish(),
  }),
});

/** Whether the bytes of the ids of every text add up to those of the text. */
function isByteExact(
  files: Readonly<Record<string, string>>,
  found: readonly AddedToken[],
  idOf: ReadonlyMap<string, number>,
): boolean {
  const json: unknown = JSON.parse(files["tokenizer.json"] ?? "null");
  const hasAllBytes = Array.from({ length: 256 }, (_, byte) => spellBytes([byte])).every((byte) =>
    idOf.has(byte),
  );
  return (
    exactSchema.safeParse(json).success && hasAllBytes && found.every((one) => !one.lstrip && !one.rstrip)
  );
}
