/** `hf` on the tokenizers of published families (tests/golden/hf-families.py), against Hugging Face's Rust library. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { describe, expect, test } from "vitest";
import type { Tokenizer } from "../../src/tokenizers/index.ts";
import { openTokenizer } from "../../src/tokenizers/open.ts";
import { longSettledText } from "./older-unicode.ts";

interface Family {
  readonly tokenizer: Record<string, unknown> & {
    readonly added_tokens: readonly {
      readonly content: string;
      readonly id: number;
      readonly special: boolean;
    }[];
  };
  readonly config: Readonly<Record<string, string>>;
}

const families: Readonly<Record<string, Family>> = JSON.parse(
  readFileSync(new URL("../golden/hf-families.json", import.meta.url), "utf8"),
);

function opened({ tokenizer, config }: Family): Tokenizer {
  return openTokenizer({
    "tokenizer.json": JSON.stringify(tokenizer),
    "tokenizer_config.json": JSON.stringify(config),
  });
}

/** With other steps in place of its own. */
function changed(name: string, steps: Record<string, unknown>): Record<string, unknown> {
  return { ...families[name]?.tokenizer, ...steps };
}

/** A text that holds no special token, now and then with what families find in text. */
function texts({ tokenizer }: Family): fc.Arbitrary<string> {
  const special = tokenizer.added_tokens.filter((token) => token.special).map(({ content }) => content);
  const others = tokenizer.added_tokens.filter((token) => !token.special).map(({ content }) => content);
  const more = fc.constantFrom(
    "",
    " ",
    "▁",
    "the best of  times",
    "<0x41>",
    "a\u0308\u0323",
    "ΑΣ ",
    ...others,
  );
  return fc
    .tuple(more, longSettledText, more)
    .map((parts) => parts.join(""))
    .filter((text) => special.every((token) => !text.includes(token)));
}

/** Which of the contract's tokens each has. */
const roles: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bert_uncased: { pad: "[PAD]", cls: "[CLS]", sep: "[SEP]", mask: "[MASK]" },
  gpt2: { eos: "<|endoftext|>" },
  roberta: { eos: "</s>", pad: "<pad>", cls: "<s>", sep: "</s>", mask: "<mask>" },
  clip: {},
  llama2: { eos: "</s>" },
  mistral: { eos: "</s>" },
  gemma: { eos: "</s>" },
  llama3: { eos: "<|eot_id|>", pad: "<|finetune_right_pad_id|>" },
  qwen2: { eos: "<|im_end|>", pad: "<|endoftext|>" },
  gpt_neox: { eos: "<|endoftext|>", pad: "<|padding|>" },
  falcon: { eos: "<|endoftext|>" },
  deepseek: { eos: "<｜end▁of▁sentence｜>" },
  whitespace_words: { pad: "[PAD]", cls: "[CLS]", sep: "[SEP]", mask: "[MASK]" },
  t5: { eos: "</s>", pad: "<pad>" },
  albert: { eos: "</s>", pad: "<pad>", cls: "[CLS]", sep: "[SEP]", mask: "[MASK]" },
  llama_unigram: { eos: "</s>" },
};

describe.each(Object.entries(families))("hf reads the file of %s", (name, family) => {
  const own = opened(family);
  const rust = RustTokenizer.fromString(JSON.stringify(family.tokenizer));

  test("with the ids and the text of the Rust library", async () => {
    await fc.assert(
      fc.asyncProperty(texts(family), async (text) => {
        const ids = [...own.encode(text)];
        expect(ids).toEqual((await rust.encode(text, null, { addSpecialTokens: false })).getIds());
        expect(own.decode(ids)).toBe(await rust.decode(ids, false));
      }),
      { numRuns: 250 },
    );
    const ids = Array.from({ length: rust.getVocabSize() }, (_, id) => id);
    expect(own.vocabSize).toBe(rust.getVocabSize());
    expect(own.decode(ids)).toBe(await rust.decode(ids, false));
    for (const id of ids) expect(own.decode([id])).toBe(await rust.decode([id], false));
  });

  test("with its special tokens, which no text becomes", () => {
    const unknown = (family.tokenizer.model as { unk_token?: string }).unk_token;
    const special = new Set(Object.values(own.specialTokens ?? {}));
    for (const { content, id, special: isSpecial } of family.tokenizer.added_tokens) {
      if (!isSpecial || id === 0 || content === unknown || content === "<unk>") continue;
      expect(own.specialTokens?.[content]).toBe(id);
      for (const text of [content, ` ${content}${content} a${content}b`])
        expect([...own.encode(text)].filter((one) => special.has(one))).toEqual([]);
    }
    for (const role of ["eos", "pad", "cls", "sep", "mask"] as const)
      expect(own[`${role}TokenId`], role).toBe(own.specialTokens?.[roles[name]?.[role] ?? ""]);
  });

  test("with the bytes of its ids, where they are those of every text", () => {
    const exact = ["gpt2", "roberta", "llama3", "falcon", "deepseek"];
    expect(own.byteLength !== undefined).toBe(exact.includes(name));
    if (own.byteLength === undefined) return;
    fc.assert(
      fc.property(texts(family), (text) => {
        const bytes = [...own.encode(text)].reduce((sum, id) => sum + (own.byteLength?.(id) ?? 0), 0);
        expect(bytes).toBe(Buffer.byteLength(text));
      }),
    );
    for (const id of Object.values(own.specialTokens ?? {})) expect(own.byteLength(id)).toBe(0);
  });
});

/** Pieces of one character, so that where words are cut shows in the ids. */
const characters = [
  ...new Set(" \t\n\u00a0▁abcdefghijklmnopqrstuvwxyzABCXYZ0123456789.,:;-'’!?$+^_é東²½Ⅷ٣ς\u0301"),
];
const letters = ["[UNK]", ...characters, ...characters.map((one) => `##${one}`)];
const cutModel = {
  type: "WordPiece",
  unk_token: "[UNK]",
  continuing_subword_prefix: "##",
  max_input_chars_per_word: 1000,
  vocab: Object.fromEntries(letters.map((token, id) => [token, id])),
};
const cutText = fc.string({ unit: fc.constantFrom(...characters, " ", "a", "1", "."), maxLength: 30 });
const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];

const steps: readonly (readonly [string, Record<string, unknown>])[] = [
  ...["NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "StripAccents"].map(
    (type) => ["normalizer", { type }] as const,
  ),
  ["normalizer", { type: "Strip", strip_left: true, strip_right: false }],
  ["normalizer", { type: "Strip", strip_left: false, strip_right: true }],
  ["normalizer", { type: "Replace", pattern: { String: "a." }, content: "$&" }],
  ["normalizer", { type: "Replace", pattern: { Regex: "[a-c]+(?=\\d)|\\s{2,}" }, content: "x" }],
  ["normalizer", { type: "Prepend", prepend: "▁" }],
  [
    "normalizer",
    { type: "Sequence", normalizers: [{ type: "NFD" }, { type: "StripAccents" }, { type: "Lowercase" }] },
  ],
  ...[
    { clean_text: false, handle_chinese_chars: true, strip_accents: null, lowercase: false },
    { clean_text: true, handle_chinese_chars: false, strip_accents: true, lowercase: false },
    { clean_text: true, handle_chinese_chars: true, strip_accents: false, lowercase: true },
  ].map((one) => ["normalizer", { type: "BertNormalizer", ...one }] as const),
  ...["BertPreTokenizer", "Whitespace", "WhitespaceSplit"].map(
    (type) => ["pre_tokenizer", { type }] as const,
  ),
  ...behaviors.flatMap((behavior) => [
    ["pre_tokenizer", { type: "Punctuation", behavior }] as const,
    ["pre_tokenizer", { type: "Split", pattern: { Regex: "\\s+|[a-c]" }, behavior, invert: false }] as const,
    ["pre_tokenizer", { type: "Split", pattern: { String: "." }, behavior, invert: true }] as const,
  ]),
  ["pre_tokenizer", { type: "Digits", individual_digits: true }],
  ["pre_tokenizer", { type: "Digits", individual_digits: false }],
  ["pre_tokenizer", { type: "CharDelimiterSplit", delimiter: "a" }],
  ["pre_tokenizer", { type: "FixedLength", length: 3 }],
  ...["always", "first", "never"].flatMap((scheme) =>
    [true, false].map(
      (split) =>
        ["pre_tokenizer", { type: "Metaspace", replacement: "▁", prepend_scheme: scheme, split }] as const,
    ),
  ),
  [
    "pre_tokenizer",
    {
      type: "Sequence",
      pretokenizers: [
        { type: "Digits", individual_digits: true },
        { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true },
        { type: "Punctuation", behavior: "Isolated" },
      ],
    },
  ],
  ["decoder", { type: "BPEDecoder", suffix: "a" }],
  ["decoder", { type: "WordPiece", prefix: "##", cleanup: true }],
  ["decoder", { type: "WordPiece", prefix: "##", cleanup: false }],
  ["decoder", { type: "Metaspace", replacement: "▁", prepend_scheme: "never", split: true }],
  ["decoder", { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true }],
  ["decoder", { type: "Replace", pattern: { Regex: "[0-9]" }, content: "" }],
  [
    "decoder",
    { type: "Sequence", decoders: [{ type: "Strip", content: "#", start: 2, stop: 1 }, { type: "Fuse" }] },
  ],
];

describe("hf does each step as the Rust library", () => {
  test.each(steps)("%s %j", async (place, step) => {
    const json = JSON.stringify(
      changed("whitespace_words", {
        normalizer: null,
        pre_tokenizer: null,
        decoder: null,
        post_processor: null,
        added_tokens: [],
        model: cutModel,
        [place]: step,
      }),
    );
    const own = openTokenizer({ "tokenizer.json": json });
    const rust = RustTokenizer.fromString(json);
    await fc.assert(
      fc.asyncProperty(fc.oneof(cutText, longSettledText), async (text) => {
        const ids = [...own.encode(text)];
        expect(ids).toEqual((await rust.encode(text)).getIds());
        expect(own.decode(ids)).toBe(await rust.decode(ids, false));
      }),
      { numRuns: 250 },
    );
  });

  test.each([
    { single_word: true },
    { lstrip: true },
    { rstrip: true },
    { lstrip: true, rstrip: true, single_word: true },
    { normalized: true },
  ])("added tokens with %j", async (how) => {
    const none = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
    const added = ["ab", "abc", "A.", "<x>"].map((content, at) => ({
      ...none,
      ...how,
      content,
      id: letters.length + at,
    }));
    const json = JSON.stringify(
      changed("whitespace_words", {
        normalizer: { type: "Lowercase" },
        post_processor: null,
        model: cutModel,
        added_tokens: added,
      }),
    );
    const own = openTokenizer({ "tokenizer.json": json });
    const rust = RustTokenizer.fromString(json);
    expect(own.vocabSize).toBe(letters.length + 4);
    const text = fc
      .array(fc.constantFrom("ab", "abc", "a", "B", "c", "A.", " ", "<x>", "é", "\n", "-", "1"))
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(text, async (one) => {
        expect([...own.encode(one)]).toEqual((await rust.encode(one)).getIds());
      }),
      { numRuns: 400 },
    );
  });
});

describe("hf says what it cannot do", () => {
  const open = (steps: Record<string, unknown>) => () =>
    openTokenizer({ "tokenizer.json": JSON.stringify(changed("t5", steps)) });
  const model = families.llama2?.tokenizer.model as Record<string, unknown>;

  test.each([
    [{ pre_tokenizer: { type: "UnicodeScripts" } }, /pre_tokenizer\.type: .*"UnicodeScripts".*not know/],
    [{ decoder: { type: "CTC" } }, /decoder\.type: .*"CTC".*not know/],
    [
      { normalizer: { type: "Sequence", normalizers: [{ type: "Rot13" }] } },
      /normalizers\.0\.type: .*"Rot13"/,
    ],
    [{ normalizer: { type: "Precompiled", precompiled_charsmap: "AAA=" } }, /not SentencePiece's table/],
    [
      { pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated", invert: false } },
      /pre_tokenizer\.pattern: the regular expression cannot be written in JavaScript/,
    ],
    [{ model: { ...model, dropout: 0.1 } }, /model\.dropout: expected none/],
    [{ model: { ...model, merges: ["☃ t"] } }, /merge 0 needs the token "☃"/],
    [{ model: { ...model, type: "Rope" } }, /model\.type: "Rope" is a kind of model/],
    [{ model: { type: "WordLevel", unk_token: "[UNK]", vocab: { a: 0 } } }, /\[UNK\], is not in it/],
    [{ model: { type: "Unigram", unk_id: null, vocab: [["a", 0]] } }, /unk_id, is not in it/],
    [{ model: { type: "WordLevel", unk_token: "a", vocab: { a: "0" } } }, /id of "a" is no whole number/],
  ])("%j", (steps, message) => {
    expect(open(steps)).toThrow(message);
    expect(open(steps)).toThrow(expect.objectContaining({ code: "TOKENIZER_BAD_FILE" }));
  });
});
