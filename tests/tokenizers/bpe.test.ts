import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { beforeAll, describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import {
  anyText,
  corpus,
  cutAtWordEnds,
  settledText,
  stream,
  trainedBpe as trained,
} from "./hostile-text.ts";
import { longSettledText } from "./older-unicode.ts";

const END = "<|endoftext|>";

function ids(tokenizer: Tokenizer, text: string): number[] {
  return [...tokenizer.encode(text)];
}

describe("bpe", () => {
  let tokenizer: Tokenizer;
  let files: Readonly<Record<string, string>>;
  beforeAll(async () => {
    tokenizer = await trained({ vocabSize: 512 }, corpus);
    files = tokenizer.save?.() ?? {};
  });

  test("decodes what it encoded to the same text, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  test("turns a lone surrogate into U+FFFD, as UTF-8 does", () => {
    expect(tokenizer.decode(tokenizer.encode("a\uD800b\uDC00"))).toBe("a\uFFFDb\uFFFD");
  });

  test("gives Int32Array ids below vocabSize, whose byte lengths are those of the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const encoded = tokenizer.encode(text);
        expect(encoded).toBeInstanceOf(Int32Array);
        let bytes = 0;
        for (const id of encoded) {
          expect(id).toBeLessThan(tokenizer.vocabSize);
          bytes += tokenizer.byteLength?.(id) ?? 0;
        }
        expect(bytes).toBe(Buffer.byteLength(text));
      }),
    );
  });

  test("compresses: tokens hold several bytes", () => {
    expect(tokenizer.encode(corpus).length).toBeLessThan(Buffer.byteLength(corpus) / 2);
  });

  test("gives the special token the last id, and never finds it in text", () => {
    const eos = tokenizer.vocabSize - 1;
    expect(tokenizer.specialTokens).toEqual({ [END]: eos });
    expect(tokenizer.eosTokenId).toBe(eos);
    expect(tokenizer.byteLength?.(eos)).toBe(0);
    expect(tokenizer.decode([eos])).toBe(END);
    fc.assert(
      fc.property(anyText, anyText, (before, after) => {
        expect(ids(tokenizer, before + END + after)).not.toContain(eos);
      }),
    );
  });

  test("does not learn a merge that spells a special token", async () => {
    const words = await trained({ vocabSize: 300, specialTokens: ["<pad>", "the"] }, "the the the the");
    expect(words.eosTokenId).toBe(words.specialTokens?.["<pad>"]);
    expect(ids(words, "the")).not.toContain(words.specialTokens?.the);
    expect(words.decode(words.encode("the the"))).toBe("the the");
    const vocab = JSON.parse(words.save?.()["tokenizer.json"] ?? "").model.vocab;
    expect(Object.keys(vocab)).toHaveLength(words.vocabSize); // no spelling stands for two ids
  });

  test("restores from its files: same ids, same special tokens, same files", async () => {
    const restored = await getTokenizer("bpe");
    restored.load?.(files);
    expect(restored.vocabSize).toBe(tokenizer.vocabSize);
    expect(restored.specialTokens).toEqual(tokenizer.specialTokens);
    expect(restored.eosTokenId).toBe(tokenizer.eosTokenId);
    expect(restored.save?.()).toEqual(files);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(ids(restored, text)).toEqual(ids(tokenizer, text));
      }),
    );
  });

  test("Hugging Face's Rust library reads the file and gives the same ids and text", async () => {
    const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
    const texts = settledText.filter((text) => !text.includes(END));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const expected = (await rust.encode(text)).getIds();
        expect(ids(tokenizer, text)).toEqual(expected);
        expect(await rust.decode(expected, false)).toBe(text);
      }),
      { numRuns: 1500 },
    );
    expect(rust.tokenToId(END)).toBe(tokenizer.eosTokenId);
    expect(rust.getVocabSize()).toBe(tokenizer.vocabSize);
  });

  test("the Rust library agrees on words too long to be cached", async () => {
    const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
    for (const word of [
      "timesthebestworst".repeat(200),
      "ab".repeat(5000),
      "a".repeat(4097),
      "東京".repeat(999),
    ])
      expect(ids(tokenizer, word)).toEqual((await rust.encode(word)).getIds());
  });

  test("encodes a megabyte without a word end in reasonable time", () => {
    const word = "timesworstbest".repeat(75_000);
    const start = performance.now();
    expect(tokenizer.decode(tokenizer.encode(word))).toBe(word);
    expect(performance.now() - start).toBeLessThan(20_000); // quadratic would be an hour
  });

  test("learns the same from one piece and from many cut where words end", async () => {
    const whole = (await trained({ vocabSize: 400 }, corpus)).save?.();
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.boolean()), async (choices) => {
        const pieces = cutAtWordEnds(corpus, () => choices.next().value);
        expect((await trained({ vocabSize: 400 }, ...pieces)).save?.()).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  test("learns the same whatever the order of the words", async () => {
    const words = corpus.split(/(?= )/);
    const forward = await trained({ vocabSize: 400 }, ...words);
    const backward = await trained({ vocabSize: 400 }, ...words.reverse());
    expect(backward.save?.()).toEqual(forward.save?.());
  });

  test("keeps a token that is spelt like a property of every object", async () => {
    const text = "x__proto__ ".repeat(9);
    const proto = await trained({ vocabSize: 300, specialTokens: [] }, text);
    const restored = await getTokenizer("bpe");
    restored.load?.(proto.save?.() ?? {});
    expect(ids(restored, text)).toEqual(ids(proto, text));
    expect(proto.eosTokenId).toBeUndefined();
    const exact = await trained({ vocabSize: 300, specialTokens: [] }, "__proto__\n".repeat(9));
    restored.load?.(exact.save?.() ?? {});
    expect(ids(restored, "__proto__")).toEqual(ids(exact, "__proto__"));
    expect(ids(exact, "__proto__").length).toBeLessThan(4);
  });

  test("ends with fewer ids when the corpus has no more pairs", async () => {
    const small = await getTokenizer("bpe", { vocabSize: 5000 });
    expect(small.vocabSize).toBe(5000);
    await small.train?.(stream("ab ab"));
    expect(small.vocabSize).toBe(258); // bytes, "ab", the special token
  });

  test("asks pairs to be as frequent as minFrequency", async () => {
    const options = { vocabSize: 300, specialTokens: [] };
    expect((await trained({ ...options, minFrequency: 3 }, "ab ab cd cd cd")).vocabSize).toBe(258); // " c" + "d", "cd"
    expect((await trained({ ...options, minFrequency: 4 }, "ab ab cd cd cd")).vocabSize).toBe(256);
  });

  test("takes a tokenizer.json that Hugging Face wrote: special tokens first, merges as pairs", async () => {
    const json = JSON.parse(files["tokenizer.json"] ?? "");
    const vocab = json.model.vocab as Record<string, number>;
    for (const token of Object.keys(vocab)) vocab[token] = token === END ? 0 : (vocab[token] ?? 0) + 1;
    json.added_tokens[0].id = 0;
    json.model.merges = json.model.merges.map((merge: string) => merge.split(" "));
    const shifted = await getTokenizer("bpe");
    shifted.load?.({ "tokenizer.json": JSON.stringify(json) });
    expect(shifted.eosTokenId).toBe(0);
    expect(ids(shifted, corpus)).toEqual(ids(tokenizer, corpus).map((id) => id + 1));
  });
});

describe("bpe with other words and normalisers", () => {
  test.each([
    { preTokenizer: "o200k" },
    { preTokenizer: "o200k", normalizer: "nfc" },
    { normalizer: "nfkc", lowercase: true },
    { normalizer: "nfd" },
    { preTokenizer: "o200k", lowercase: true, normalizer: "nfkd" },
    { normalizer: "nfkd", stripAccents: true },
  ])("Hugging Face's Rust library gives the same ids and text from its file, options %j", async (options) => {
    const own = await trained({ vocabSize: 450, ...options }, corpus);
    const files = own.save?.() ?? {};
    const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
    const restored = await getTokenizer("bpe");
    restored.load?.(files);
    expect(restored.save?.()).toEqual(files);
    await fc.assert(
      fc.asyncProperty(longSettledText, async (text) => {
        fc.pre(!text.toLowerCase().includes(END));
        const encoded = ids(own, text);
        expect(encoded).toEqual((await rust.encode(text)).getIds());
        expect(ids(restored, text)).toEqual(encoded);
        expect(own.decode(encoded)).toBe(await rust.decode(encoded, false));
      }),
      { numRuns: 500 },
    );
  });

  test("says what its special tokens are for", async () => {
    const own = await trained({ vocabSize: 300, specialTokens: ["<s>", "<pad>", "</s>", "<mask>"] }, corpus);
    const restored = await getTokenizer("bpe");
    restored.load?.(own.save?.() ?? {});
    for (const tokenizer of [own, restored]) {
      const { specialTokens: special } = tokenizer;
      expect(tokenizer.eosTokenId).toBe(special?.["<s>"]); // the first one, as always
      expect(tokenizer.padTokenId).toBe(special?.["<pad>"]);
      expect(tokenizer.clsTokenId).toBe(special?.["<s>"]);
      expect(tokenizer.sepTokenId).toBe(special?.["</s>"]);
      expect(tokenizer.maskTokenId).toBe(special?.["<mask>"]);
    }
  });
});
