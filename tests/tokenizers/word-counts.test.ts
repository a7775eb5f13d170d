import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { WordCounts } from "../../src/tokenizers/word-counts.ts";

/** Mostly words that occur once: between two of them, one of ten that come again and again. */
function* mostlyUnique(words: number): Generator<string> {
  for (let at = 0; at < words; at += 500)
    yield Array.from({ length: 500 }, (_, i) => ` ${spelt(at + i)} common${(at + i) % 10}`).join("");
}

/** Another word of small letters for every number, in no order. */
function spelt(number: number): string {
  return (Math.imul(number + 1, 0x9e3779b1) >>> 0)
    .toString(26)
    .replace(/\d/g, (digit) => "qrstuvwxyz".charAt(Number(digit)));
}

async function trained(name: string, options: object, words: number): Promise<Tokenizer> {
  const tokenizer = await getTokenizer<string>(name, options);
  await tokenizer.train?.(
    (async function* () {
      yield* mostlyUnique(words);
    })(),
  );
  return tokenizer;
}

describe("WordCounts", () => {
  test("counts exactly while the different words fit", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { maxLength: 200 }), (words) => {
        const counts = new WordCounts(200);
        const expected = new Map<string, number>();
        for (const word of words) {
          counts.add(word);
          expected.set(word, (expected.get(word) ?? 0) + 1);
        }
        expect([...counts.entries()]).toEqual([...expected]);
        expect(counts.forgotten).toBeUndefined();
        expect(counts.notes()).toEqual([]);
      }),
    );
  });

  test("beyond, keeps at most that many, counts nobody too often, and says how far it may be off", () => {
    const counts = new WordCounts(64);
    const exact = new Map<string, number>();
    for (let at = 0; at < 20_000; at++)
      for (const word of [`once${at}`, `often${at % 7}`, ...(at % 5 === 0 ? [`seldom${at % 50}`] : [])]) {
        counts.add(word);
        exact.set(word, (exact.get(word) ?? 0) + 1);
        expect(counts.size).toBeLessThanOrEqual(64);
      }
    const kept = new Map(counts.entries());
    const { occurrences = 0, seen = 0, undercount = 0 } = counts.forgotten ?? {};
    for (const [word, count] of kept) {
      expect(count).toBeLessThanOrEqual(exact.get(word) ?? 0);
      expect(count + undercount).toBeGreaterThanOrEqual(exact.get(word) ?? 0);
    }
    for (let i = 0; i < 7; i++) expect(kept.get(`often${i}`)).toBe(exact.get(`often${i}`));
    expect(seen).toBe([...exact.values()].reduce((sum, count) => sum + count));
    expect(occurrences).toBe(seen - [...kept.values()].reduce((sum, count) => sum + count));
    expect(counts.notes()[0]).toMatch(/at most 64 different words.*forgotten, the rarest.*`maxWords`/);
  });

  test("keeps some of the rare words, wherever in the corpus they stood, and all characters", () => {
    const counts = new WordCounts(1000);
    for (let at = 0; at < 100_000; at++) counts.add(`${spelt(at)}${at === 7 ? "☃" : ""}`);
    expect(counts.size).toBeGreaterThanOrEqual(500);
    const places = new Map(Array.from({ length: 100_000 }, (_, at) => [spelt(at), at]));
    const kept = [...counts.entries()].map(([word]) => places.get(word) ?? 0).sort((a, b) => a - b);
    // The last thousand are in memory anyway; of the others each tenth of the corpus has its share.
    const old = kept.filter((place) => place < 99_000);
    for (let tenth = 0; tenth < 9; tenth++)
      expect(old.filter((place) => Math.floor(place / 10_000) === tenth).length).toBeGreaterThan(20);
    expect(counts.characters().get("☃".codePointAt(0) ?? 0)).toBe(1);
  });

  test("long words count for several", () => {
    const counts = new WordCounts(100);
    for (let at = 0; at < 50; at++) counts.add(`${at}`.padEnd(1000, "x"));
    const units = [...counts.entries()].reduce((sum, [word]) => sum + word.length, 0);
    expect(units).toBeLessThanOrEqual(3200);
    counts.add("y".repeat(10_000));
    expect([...counts.entries()].some(([word]) => word.length === 10_000)).toBe(true);
  });
});

describe("training in bounded memory", () => {
  test.each(["bpe", "wordpiece", "unigram", "whitespace"])(
    "%s learns the frequent words of a stream of mostly unique ones, and says what it forgot",
    async (name) => {
      const tokenizer = await trained(name, { vocabSize: 400, maxWords: 500 }, 30_000);
      for (let i = 0; i < 10; i++) expect(tokenizer.encode(` common${i}`).length).toBeLessThanOrEqual(2);
      expect(tokenizer.notes?.()[0]).toMatch(/^the tokenizer counted at most 500 different words/);
      // Characters of forgotten words are known all the same.
      const text = " qrstuvwxyz";
      if (name === "unigram") expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      if (name === "wordpiece") expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.trim());
    },
  );

  test("the limit changes nothing where it is not reached", async () => {
    for (const name of ["bpe", "wordpiece", "unigram", "whitespace"]) {
      const one = await trained(name, { vocabSize: 300, maxWords: 1200 }, 1000);
      const other = await trained(name, { vocabSize: 300 }, 1000);
      expect(one.notes?.()).toEqual([]);
      expect(one.save?.()).toEqual(other.save?.());
    }
  });
});
