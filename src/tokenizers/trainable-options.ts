import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";

/** The option `specialTokens`. */
export function specialTokensSchema(tokens: readonly string[]) {
  return z.array(z.string().min(1)).default([...tokens]);
}

/** The option `maxWords`. */
export const maxWordsSchema = z
  .int()
  .min(2)
  .max(2 ** 24)
  .default(2 ** 20)
  .describe(
    "Different words of the corpus to count at a time, which bounds the memory; with more, the rarest are forgotten and a warning says how many.",
  );

/** @throws InvalidOptionError for a special token that is listed twice, or is no text that UTF-8 can hold. */
export function checkSpecialTokens(specialTokens: readonly string[]): void {
  for (const [i, token] of specialTokens.entries()) {
    if (specialTokens.indexOf(token) !== i)
      throw new InvalidOptionError(["specialTokens", i], `${JSON.stringify(token)} is listed twice`);
    if (/\p{Surrogate}/u.test(token))
      throw new InvalidOptionError(["specialTokens", i], "a special token may not hold a lone surrogate");
  }
}
