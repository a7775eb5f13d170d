import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { beforeAll, describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { anyText, corpus, stream } from "./hostile-text.ts";
import { longSettledText } from "./older-unicode.ts";

const END = "<|endoftext|>";

async function trained(...pieces: string[]): Promise<Tokenizer> {
  return trainedWith({}, ...pieces);
}

async function trainedWith(options: object, ...pieces: string[]): Promise<Tokenizer> {
  const tokenizer = await getTokenizer("char", options);
  await tokenizer.train?.(stream(...pieces));
  return tokenizer;
}

describe("char", () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await trained("banana\r\n", "👍 ｘ\0");
  });

  test("numbers the characters of the corpus by code point, after <unk>", () => {
    // "👍" comes after "ｘ" by code point and before it by code unit.
    expect([...tokenizer.encode("\0\n\r abnｘ👍")]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(tokenizer.vocabSize).toBe(11);
    expect(tokenizer.specialTokens).toEqual({ [END]: 10 });
    expect(tokenizer.eosTokenId).toBe(10);
  });

  test("gives back every text made of the corpus's characters", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        fc.pre(text !== "");
        const own = await trained(text);
        expect(own.decode(own.encode(text))).toBe(text);
      }),
    );
  });

  test("loses characters that the corpus did not have", () => {
    expect([...tokenizer.encode("aza")]).toEqual([5, 0, 5]);
    expect(tokenizer.decode([5, 0, 5])).toBe("a\uFFFDa");
  });

  test("does not depend on how the corpus came in pieces", async () => {
    const text = "hello, wörld 👩‍👩‍👧";
    const pieces = text.split(/(?= )/);
    expect((await trained(...pieces)).save?.()).toEqual((await trained(text)).save?.());
  });

  test("restores from its files, and the Rust library gives the same ids", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (corpus, text) => {
        fc.pre(corpus !== "" && !text.includes(END));
        const original = await trained(corpus);
        const files = original.save?.() ?? {};
        const restored = await getTokenizer("char");
        restored.load?.(files);
        const ids = [...original.encode(text)];
        expect([...restored.encode(text)]).toEqual(ids);
        expect(restored.eosTokenId).toBe(original.eosTokenId);
        const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
        expect((await rust.encode(text)).getIds()).toEqual(ids);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    {},
    { normalizer: "nfc" },
    { normalizer: "nfd", stripAccents: true, lowercase: true },
    { normalizer: "nfkc", minFrequency: 2, vocabSize: 40, specialTokens: ["<pad>", "<s>"] },
  ])("the Rust library gives the same ids from its file, options %j", async (options) => {
    const own = await trainedWith(options, corpus);
    const files = own.save?.() ?? {};
    const restored = await getTokenizer("char");
    restored.load?.(files);
    expect(restored.save?.()).toEqual(files);
    expect(restored.specialTokens).toEqual(own.specialTokens);
    expect(restored.padTokenId).toBe(own.padTokenId);
    const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
    const special = Object.keys(own.specialTokens ?? {});
    await fc.assert(
      fc.asyncProperty(longSettledText, async (text) => {
        fc.pre(special.every((token) => !text.includes(token)));
        const ids = [...own.encode(text)];
        expect(ids).toEqual((await rust.encode(text)).getIds());
        expect([...restored.encode(text)]).toEqual(ids);
      }),
      { numRuns: 300 },
    );
  });

  test("keeps the most frequent characters, and its special tokens at the end", async () => {
    const own = await trainedWith(
      { vocabSize: 6, minFrequency: 2, specialTokens: ["<pad>", "</s>"] },
      "aaab",
      "bbccd",
    );
    expect([...own.encode("abcde")]).toEqual([1, 2, 3, 0, 0]);
    expect(own.specialTokens).toEqual({ "<pad>": 4, "</s>": 5 });
    expect(own).toMatchObject({ vocabSize: 6, padTokenId: 4, eosTokenId: 5 });
    expect((await trainedWith({ vocabSize: 5, minFrequency: 3, specialTokens: [] }, "aaabb")).vocabSize).toBe(
      2,
    );
  });

  test("says which option does not fit", async () => {
    const build = (options: object) => getTokenizer("char", options);
    await expect(build({ vocabSize: 2 })).rejects.toThrow(/vocabSize.*at least 3/s);
    await expect(build({ specialTokens: ["é"] })).rejects.toThrow(/specialTokens.*is a character/s);
    await expect(build({ specialTokens: ["<unk>"] })).rejects.toThrow(/there anyway/);
    for (const normalizer of ["none", "nfc", "nfkc"])
      await expect(build({ stripAccents: true, normalizer })).rejects.toThrow(/stripAccents.*needs.*nfd/s);
  });

  test("says when it is not trained, trained twice, or trained on nothing", async () => {
    const untrained = await getTokenizer("char");
    expect(() => untrained.encode("a")).toThrow(/has not been trained/);
    expect(() => untrained.decode([1])).toThrow(/has not been trained/);
    expect(() => untrained.save?.()).toThrow(/has not been trained/);
    await expect(untrained.train?.(stream(""))).rejects.toThrow(/no text to learn from/);
    await expect(tokenizer.train?.(stream("x"))).rejects.toThrow(/vocabulary already/);
    expect(() => tokenizer.decode([11])).toThrow(/no id 11/);
  });

  test("refuses the file of another tokenizer", async () => {
    const byte = await getTokenizer("byte");
    const fresh = await getTokenizer("char");
    expect(() => fresh.load?.(byte.save?.() ?? {})).toThrow(/model\.type/);
  });
});
