import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { corpus, stream } from "./hostile-text.ts";
import { longSettledText } from "./older-unicode.ts";

const END = "<|endoftext|>";

async function trained(options: object, ...pieces: string[]): Promise<Tokenizer> {
  const tokenizer = await getTokenizer("whitespace", options);
  await tokenizer.train?.(stream(...pieces));
  return tokenizer;
}

describe("whitespace", () => {
  test("numbers words by how often they occur, after <unk> and the special tokens", async () => {
    const tokenizer = await trained({}, "b c b a\u3000a\n b ", "rare a <unk> <unk> c");
    expect([...tokenizer.encode("a b c rare\u0085<unk>")]).toEqual([2, 3, 4, 0, 0]);
    expect(tokenizer.vocabSize).toBe(5);
    expect(tokenizer.specialTokens).toEqual({ [END]: 1 });
    expect(tokenizer.eosTokenId).toBe(1);
    expect(tokenizer.decode([2, 3, 0, 1])).toBe(`a b <unk> ${END}`);
    expect([...tokenizer.encode(`a ${END} b`)]).toEqual([2, 0, 3]);
    expect(() => tokenizer.decode([5])).toThrow(/no id 5/);
  });

  test("keeps at most vocabSize ids", async () => {
    const tokenizer = await trained({ vocabSize: 4, minFrequency: 1, specialTokens: ["<pad>"] }, "a b b c c");
    expect([...tokenizer.encode("a b c")]).toEqual([0, 2, 3]);
    expect(tokenizer.vocabSize).toBe(4);
    expect(tokenizer.padTokenId).toBe(1);
  });

  test.each([
    {},
    { normalizer: "nfc" },
    { normalizer: "nfd", lowercase: true },
    { normalizer: "nfkc" },
    { normalizer: "nfkd", lowercase: true },
    { normalizer: "nfd", stripAccents: true },
    { lowercase: true, minFrequency: 1 },
  ])("Hugging Face's Rust library gives the same ids and text from its file, options %j", async (options) => {
    const texts = longSettledText.filter((text) => !text.includes(END));
    await fc.assert(
      fc.asyncProperty(texts, texts, async (learned, text) => {
        fc.pre(/\P{White_Space}/u.test(learned));
        const own = await trained(options, `${learned} ${corpus} ${learned} ΑΣ ας İ ﬁ`);
        const files = own.save?.() ?? {};
        const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
        const restored = await getTokenizer("whitespace");
        restored.load?.(files);
        expect(restored.save?.()).toEqual(files);
        for (const one of [text, learned, `${text} the ΑΣ É${learned}`, "ας i̇ fi"]) {
          const ids = [...own.encode(one)];
          expect(ids).toEqual((await rust.encode(one)).getIds());
          expect([...restored.encode(one)]).toEqual(ids);
          expect(own.decode(ids)).toBe(await rust.decode(ids, false));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("learns what Hugging Face's trainer does with the same limits", async () => {
    const own = await trained({ specialTokens: [], minFrequency: 1 }, corpus);
    // The npm package's trainer has fixed settings (no limit that this corpus reaches) and reads files.
    const rust = RustTokenizer.fromString(own.save?.()["tokenizer.json"] ?? "");
    const folder = mkdtempSync(`${tmpdir()}/whitespace-`);
    try {
      writeFileSync(`${folder}/corpus.txt`, corpus);
      rust.train([`${folder}/corpus.txt`]);
      const theirs = Object.keys(rust.getVocab(false)).filter((word) => word !== "<unk>");
      // The binding gives an object that cannot have this one.
      theirs.push("__proto__");
      const ours = Object.keys(JSON.parse(own.save?.()["tokenizer.json"] ?? "").model.vocab);
      expect(theirs.sort()).toEqual(ours.filter((word) => word !== "<unk>").sort());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("says when it is not trained, trained twice, trained on nothing, or given another's file", async () => {
    const untrained = await getTokenizer("whitespace");
    expect(() => untrained.encode("a")).toThrow(/has not been trained/);
    expect(() => untrained.decode([1])).toThrow(/has not been trained/);
    expect(() => untrained.save?.()).toThrow(/has not been trained/);
    await expect(untrained.train?.(stream(" \n"))).rejects.toThrow(/no text to learn from/);
    const tokenizer = await trained({}, "a a");
    await expect(tokenizer.train?.(stream("x"))).rejects.toThrow(/vocabulary already/);
    const byte = await getTokenizer("byte");
    expect(() => untrained.load?.(byte.save?.() ?? {})).toThrow(/model\.type/);
  });
});
