import { z } from "zod";
import { lowercase } from "./bert-text.ts";

/** The options of a tokenizer that says how text is changed before it is cut. */
export const normalizerOptions = {
  normalizer: z
    .enum(["none", "nfc", "nfd", "nfkc", "nfkd"])
    .default("none")
    .describe("Unicode normalization form of the text; all but none lose what it was before."),
  lowercase: z.boolean().default(false).describe("Whether capitals become small letters."),
} as const;

/** How text is changed before it is cut into words. Which characters compose is up to the Unicode version inside Node. */
export interface Normalization {
  readonly normalizer: "none" | "nfc" | "nfd" | "nfkc" | "nfkd";
  readonly lowercase: boolean;
}

const unchanged: Normalization = { normalizer: "none", lowercase: false };

export function normalize(text: string, how: Normalization): string {
  let normal = text;
  if (how.normalizer !== "none") {
    // Surrogates that are alone become U+FFFD first, as they do in UTF-8, which is what other libraries read.
    normal = normal.replace(/\p{Surrogate}/gu, "\uFFFD").normalize(how.normalizer.toUpperCase());
  }
  return how.lowercase ? lowercase(normal) : normal;
}

const form = z.looseObject({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD"]) });
const lower = z.looseObject({ type: z.literal("Lowercase") });

/** `normalizer` of a `tokenizer.json`, as far as it is one of ours. */
export const normalizerSchema = z
  .union(
    [
      form,
      lower,
      z.looseObject({
        type: z.literal("Sequence"),
        normalizers: z.union([z.tuple([form, lower]), z.tuple([form]), z.tuple([lower]), z.tuple([])]),
      }),
    ],
    "expected no normaliser, NFC, NFD, NFKC or NFKD, and Lowercase",
  )
  .nullish()
  .transform((json): Normalization => {
    const steps = json == null ? [] : json.type === "Sequence" ? json.normalizers : [json];
    let how = unchanged;
    for (const { type } of steps as readonly { type: string }[])
      how =
        type === "Lowercase"
          ? { ...how, lowercase: true }
          : { ...how, normalizer: type.toLowerCase() as Normalization["normalizer"] };
    return how;
  });

/** The same in `tokenizer.json`. */
export function normalizerJson(how: Normalization): Readonly<Record<string, unknown>> | null {
  const steps = [
    ...(how.normalizer === "none" ? [] : [{ type: how.normalizer.toUpperCase() }]),
    ...(how.lowercase ? [{ type: "Lowercase" }] : []),
  ];
  return steps.length > 1 ? { type: "Sequence", normalizers: steps } : (steps[0] ?? null);
}
