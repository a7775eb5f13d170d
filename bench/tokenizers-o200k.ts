import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { writeBpe } from "../src/tokenizers/bpe-json.ts";
import { spellBytes } from "../src/tokenizers/byte-alphabet.ts";
import { TokenizerError } from "../src/tokenizers/errors.ts";

/** o200k_base as a `tokenizer.json`: what makes each token out of two is found by merging its bytes with the tokens before it. */
export function o200kTokenizerJson(): string {
  const file = createRequire(import.meta.url).resolve("gpt-tokenizer/data/o200k_base.tiktoken");
  const spellings: string[] = [];
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const [bytes = "", rank = ""] = line.split(" ");
    spellings[Number(rank)] = spellBytes(Buffer.from(bytes, "base64"));
  }
  const rankOf = new Map(spellings.map((spelling, rank) => [spelling, rank]));
  const merges = spellings.flatMap((spelling, rank) => {
    if (spelling.length === 1) return [];
    let parts = [...spelling];
    for (;;) {
      const ranks = parts.slice(1).map((part, at) => rankOf.get((parts[at] ?? "") + part) ?? Infinity);
      const best = Math.min(...ranks);
      if (best >= rank) break;
      const at = ranks.indexOf(best);
      parts = [...parts.slice(0, at), (parts[at] ?? "") + (parts[at + 1] ?? ""), ...parts.slice(at + 2)];
    }
    const [left, right] = parts.map((part) => rankOf.get(part) ?? -1);
    if (parts.length !== 2 || left === undefined || right === undefined)
      throw new TokenizerError("TOKENIZER_BAD_FILE", `token ${rank} is not made of two others`);
    return [[left, right, rank] as const];
  });
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => rankOf.get(spellBytes([byte])) ?? -1);
  const words = {
    preTokenizer: "o200k",
    normalization: { normalizer: "none", stripAccents: false, lowercase: false },
  } as const;
  const files = writeBpe({ spellings, byteIds, merges, specialTokens: {} }, {}, words);
  return files["tokenizer.json"] ?? "";
}
