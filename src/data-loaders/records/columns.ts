import { z } from "zod";
import { InvalidOptionError } from "../../registry/index.ts";
import type { TextExample } from "../index.ts";
import type { Fields } from "./rows.ts";
import { column, kindOf, Template } from "./template.ts";

export const columnsSchema = z
  .strictObject({
    text: z.string().min(1).optional().describe('The column with the text. Default "text".'),
    textPair: z
      .string()
      .min(1)
      .optional()
      .describe("The column with the second text, for tasks about pairs."),
    label: z
      .string()
      .min(1)
      .optional()
      .describe("The column with the class: a text, number or boolean, or a list of these."),
  })
  .describe("Which column is what. `meta.title` reaches into an object.");

export const templateSchema = z
  .string()
  .describe('The text, made of columns: "{title}\\n\\n{body}"; `{{` and `}}` are braces themselves.');

export type ColumnOptions = z.infer<typeof columnsSchema>;

/** A record's part in training; `label` is what the data has, not yet held against the others. */
export interface TextRecord extends TextExample {
  readonly label?: string | readonly string[];
}

/** Turns the columns of a record into an example. */
export class Mapping {
  readonly hasLabel: boolean;
  readonly hasPair: boolean;
  readonly #text: Template | string;
  readonly #pair: string | undefined;
  readonly #label: string | undefined;

  /** @throws InvalidOptionError when the template cannot be read, or `columns.text` is there too. */
  constructor({ text, textPair, label }: ColumnOptions, template: string | undefined) {
    if (template !== undefined && text !== undefined)
      throw new InvalidOptionError(
        ["template"],
        "`columns.text` says where the text is already; give one of both",
      );
    try {
      this.#text = template === undefined ? (text ?? "text") : new Template(template);
    } catch (cause) {
      throw new InvalidOptionError(["template"], (cause as Error).message, { cause });
    }
    this.#pair = textPair;
    this.#label = label;
    this.hasPair = textPair !== undefined;
    this.hasLabel = label !== undefined;
  }

  /** The columns that it reads. */
  get columns(): readonly string[] {
    const text = typeof this.#text === "string" ? [this.#text] : this.#text.columns;
    return [...text, this.#pair, this.#label].filter((name) => name !== undefined);
  }

  /** @throws Error that says what is wrong with the record. */
  example(fields: Fields): TextRecord {
    const text = typeof this.#text === "string" ? textOf(fields, this.#text) : this.#text.render(fields);
    if (!this.hasPair && !this.hasLabel) return { text };
    return {
      text,
      ...(this.#pair !== undefined && { textPair: textOf(fields, this.#pair) }),
      ...(this.#label !== undefined && { label: labelOf(fields, this.#label) }),
    };
  }
}

function textOf(fields: Fields, name: string): string {
  const value = column(fields, name);
  if (typeof value === "string") return value;
  throw new Error(`has ${kindOf(value)} in the column "${name}", where a text should be`);
}

function labelOf(fields: Fields, name: string): string | readonly string[] {
  const value = column(fields, name);
  return Array.isArray(value)
    ? [...new Set(value.map((one) => labelName(one, name)))]
    : labelName(value, name);
}

function labelName(value: unknown, name: string): string {
  const usable =
    typeof value === "string" ||
    typeof value === "boolean" ||
    typeof value === "bigint" ||
    (typeof value === "number" && Number.isFinite(value));
  if (usable && value !== "") return String(value);
  const found = value === "" ? "an empty text" : kindOf(value);
  throw new Error(
    `has ${found} in the column "${name}", where a label should be: a text, number or boolean, or a list of these`,
  );
}
