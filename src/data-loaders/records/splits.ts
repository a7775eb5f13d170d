import * as crypto from "node:crypto";
import { z } from "zod";
import { InvalidOptionError } from "../../registry/index.ts";
import type { Split } from "../index.ts";
import type { TextRecord } from "./columns.ts";
import type { Fields } from "./rows.ts";
import { column, kindOf } from "./template.ts";

const values = z.union([z.string(), z.array(z.string()).min(1)]);

export const splitSchema = z
  .strictObject({
    column: z.string().min(1).describe("The column that says which split a record is in."),
    train: values.default("train").describe("Its value, or values, in records of the split train."),
    validation: values.default("validation").describe("The same for the split validation."),
    test: values.optional().describe("The same for the split test. Without it there is no such split."),
  })
  .describe("Deals the records by a column instead of a share. Any other value in it is an error.");

export const splitKeySchema = z
  .string()
  .min(1)
  .describe(
    "A column whose equal values stay in one split (a user, a repository), when splits are shares. Default: the text.",
  );

export interface SplitOptions {
  /** Share, or undefined where the split has files of its own. */
  readonly validation: number | undefined;
  readonly test: number | undefined;
  readonly split?: z.infer<typeof splitSchema> | undefined;
  readonly splitKey?: string | undefined;
}

/**
 * Deals records to splits. By a share: a record's place is decided by a digest of its text (or of the column `splitKey`)
 * alone, so that it stays where it is when data is added, taken away or moved, and equal texts are in one split.
 */
export class SplitRule {
  /** The splits that it deals to. */
  readonly splits: readonly Split[];
  readonly #options: SplitOptions;
  readonly #byValue = new Map<string, Split>();

  /** @throws InvalidOptionError when nothing is left for training, or a value means two splits. */
  constructor(options: SplitOptions) {
    const { validation = 0, test = 0, split } = options;
    this.#options = options;
    if (split === undefined) {
      if (validation + test >= 1)
        throw new InvalidOptionError(
          ["test"],
          `shares of ${validation} for validation and ${test} for test leave nothing to train on; together they must be below 1`,
        );
      this.splits = [
        "train" as const,
        ...(validation > 0 ? (["validation"] as const) : []),
        ...(test > 0 ? (["test"] as const) : []),
      ];
      return;
    }
    this.splits = split.test === undefined ? ["train", "validation"] : ["train", "validation", "test"];
    for (const name of this.splits)
      for (const value of [split[name] ?? []].flat()) {
        const other = this.#byValue.get(value);
        if (other !== undefined)
          throw new InvalidOptionError(
            ["split", name],
            `${JSON.stringify(value)} is ${other === name ? "named twice" : `the value for ${other} too`}`,
          );
        this.#byValue.set(value, name);
      }
  }

  /** The columns that it reads. */
  get columns(): readonly string[] {
    return [this.#options.split?.column, this.#options.splitKey].filter((name) => name !== undefined);
  }

  /** @throws Error that says what is wrong with the record. */
  splitOf(fields: Fields, record: TextRecord): Split {
    const { validation = 0, test = 0, split, splitKey } = this.#options;
    if (split !== undefined) return this.#valueSplit(column(fields, split.column), split.column);
    if (validation + test === 0) return "train";
    const place = splitKey === undefined ? placeOf(textKey(record)) : placeOf(keyOf(fields, splitKey));
    // From both ends, so that a test split taken later leaves the validation split as it is.
    if (place < validation) return "validation";
    return place >= 1 - test ? "test" : "train";
  }

  #valueSplit(value: unknown, name: string): Split {
    const split = this.#byValue.get(String(value));
    if (split !== undefined) return split;
    const known = [...this.#byValue.keys()].map((one) => JSON.stringify(one)).join(", ");
    const found = typeof value === "string" ? JSON.stringify(value) : kindOf(value);
    throw new Error(
      `has ${found} in the column "${name}", which names no split; those are ${known}. More are set by \`split.train\`, \`split.validation\` and \`split.test\``,
    );
  }
}

function textKey({ text, textPair }: TextRecord): string {
  return textPair === undefined ? text : `${text}\0${textPair}`;
}

function keyOf(fields: Fields, name: string): string {
  const value = column(fields, name);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Node has a function without the cost of an object since 20.12; its types do not know it yet. */
const { hash } = crypto as { hash?: (algorithm: string, data: string, encoding: "hex") => string };

function sha256(text: string): string {
  return hash?.("sha256", text, "hex") ?? crypto.createHash("sha256").update(text).digest("hex");
}

/** A number in [0, 1) that only the key decides: 48 bits of its SHA-256. */
function placeOf(key: string): number {
  return Number.parseInt(sha256(key).slice(0, 12), 16) / 2 ** 48;
}
