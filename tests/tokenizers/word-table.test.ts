import { describe, expect, test } from "vitest";
import { WordTable } from "../../src/tokenizers/word-table.ts";

describe("WordTable", () => {
  test("tells words apart, those with equal hashes too, and finds them within any text", () => {
    const table = new WordTable();
    // Of 300,000 words, about ten pairs share a 32-bit hash.
    const words = Array.from({ length: 300_000 }, (_, at) => (at * 7919).toString(36));
    for (const [at, word] of words.entries()) {
      const missed = table.find(word, 0, word.length);
      // Half a million calls of `expect` would take longer than all else here.
      if (missed >= 0) throw new Error(`${word} is there already, as number ${missed}`);
      if (table.add(word, 0, word.length, missed) !== at)
        throw new Error(`${word} became another than ${at}`);
    }
    for (const [at, word] of words.entries()) {
      const text = `<${word}東>`;
      if (table.find(text, 1, 1 + word.length) !== at || table.word(at) !== word)
        throw new Error(`${word} is not number ${at}`);
    }
    expect(table.find("東", 0, 1)).toBeLessThan(0);
    table.clear();
    expect(table.size).toBe(0);
    expect(table.find("0", 0, 1)).toBeLessThan(0);
  });
});
