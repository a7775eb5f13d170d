import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { beforeAll, describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { anyText, stream } from "./hostile-text.ts";

const END = "<|endoftext|>";

async function trained(...pieces: string[]): Promise<Tokenizer> {
  const tokenizer = await getTokenizer("char");
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

  test("knows the bytes of its characters", () => {
    const lengths = [...tokenizer.encode("aｘ👍?")].map((id) => tokenizer.byteLength?.(id));
    expect(lengths).toEqual([1, 3, 4, 3]);
    expect(tokenizer.byteLength?.(10)).toBe(0);
  });

  test("does not depend on how the corpus came in pieces", async () => {
    const text = "hello, wörld 👩‍👩‍👧";
    const pieces = text.split(/(?= )/);
    expect((await trained(...pieces)).save?.()).toEqual((await trained(text)).save?.());
  });

  test("restores from its files, and the Rust library gives the same ids", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (corpus, text) => {
        fc.pre(corpus !== "" && !text.includes(END) && !text.includes("<unk>"));
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
