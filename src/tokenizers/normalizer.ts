import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";

/** The options of a tokenizer that says how text is changed before it is cut. */
export const normalizerOptions = {
  normalizer: z
    .enum(["none", "nfc", "nfd", "nfkc", "nfkd"])
    .default("none")
    .describe("Unicode normalization form of the text; all but none lose what it was before."),
  stripAccents: z
    .boolean()
    .default(false)
    .describe(
      "Whether accents are taken off (é becomes e); for the normalizers nfd and nfkd, which set them apart.",
    ),
  lowercase: z.boolean().default(false).describe("Whether capitals become small letters."),
} as const;

/** @throws InvalidOptionError for `stripAccents` without a form in which accents are characters of their own. */
export function checkNormalization({ normalizer, stripAccents }: Normalization): void {
  if (stripAccents && normalizer !== "nfd" && normalizer !== "nfkd")
    throw new InvalidOptionError(
      ["stripAccents"],
      `needs \`normalizer: nfd\` or \`nfkd\`: in ${normalizer === "none" ? "text as it is" : normalizer}, é is one character, from which nothing can be taken off`,
    );
}

/** How text is changed before it is cut into words. Which characters compose is up to the Unicode version inside Node. */
export interface Normalization {
  readonly normalizer: "none" | "nfc" | "nfd" | "nfkc" | "nfkd";
  /** Combining marks go. */
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

export const unchanged: Normalization = { normalizer: "none", stripAccents: false, lowercase: false };

/** Whether text is encoded as it is. */
export function isUnchanged(how: Normalization): boolean {
  return how.normalizer === "none" && !how.stripAccents && !how.lowercase;
}

export function normalize(text: string, how: Normalization): string {
  let normal = unicodeForm(text, how.normalizer);
  if (how.stripAccents) normal = normal.replace(/\p{M}/gu, "");
  return how.lowercase ? lowercase(normal) : normal;
}

/** Surrogates that are alone become U+FFFD first, as they do in UTF-8, which is what other libraries read. */
export function unicodeForm(text: string, form: Normalization["normalizer"]): string {
  if (form === "none") return text;
  return text.replace(/\p{Surrogate}/gu, "\uFFFD").normalize(form.toUpperCase());
}

/** Small letters, each character by itself: a capital sigma at the end of a word is no exception, as in the Rust library. */
export function lowercase(text: string): string {
  return text.replaceAll("Σ", "σ").toLowerCase();
}

export const unicodeFormSchema = z.looseObject({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD"]) });
const marks = z.looseObject({ type: z.literal("StripAccents") });
const lower = z.looseObject({ type: z.literal("Lowercase") });

/** The option that has the name of a step. */
export function formOf(
  type: z.output<typeof unicodeFormSchema>["type"],
): Exclude<Normalization["normalizer"], "none"> {
  return ({ NFC: "nfc", NFD: "nfd", NFKC: "nfkc", NFKD: "nfkd" } as const)[type];
}

/** `normalizer` of a `tokenizer.json`, as far as it is one of ours. */
export const normalizerSchema = z
  .union(
    [
      unicodeFormSchema,
      marks,
      lower,
      z.looseObject({
        type: z.literal("Sequence"),
        normalizers: z.union([
          z.tuple([unicodeFormSchema, marks, lower]),
          z.tuple([unicodeFormSchema, marks]),
          z.tuple([unicodeFormSchema, lower]),
          z.tuple([marks, lower]),
          z.tuple([unicodeFormSchema]),
          z.tuple([marks]),
          z.tuple([lower]),
          z.tuple([]),
        ]),
      }),
    ],
    "expected no normaliser, or one or more of NFC, NFD, NFKC or NFKD, StripAccents, Lowercase, in this order",
  )
  .nullish()
  .transform((json): Normalization => {
    const steps = json == null ? [] : json.type === "Sequence" ? json.normalizers : [json];
    let how = unchanged;
    for (const { type } of steps as readonly { type: string }[])
      if (type === "Lowercase") how = { ...how, lowercase: true };
      else if (type === "StripAccents") how = { ...how, stripAccents: true };
      else how = { ...how, normalizer: formOf(type as z.output<typeof unicodeFormSchema>["type"]) };
    return how;
  });

/** The same in `tokenizer.json`. */
export function normalizerJson(how: Normalization): Readonly<Record<string, unknown>> | null {
  const steps = [
    ...(how.normalizer === "none" ? [] : [{ type: how.normalizer.toUpperCase() }]),
    ...(how.stripAccents ? [{ type: "StripAccents" }] : []),
    ...(how.lowercase ? [{ type: "Lowercase" }] : []),
  ];
  return steps.length > 1 ? { type: "Sequence", normalizers: steps } : (steps[0] ?? null);
}
