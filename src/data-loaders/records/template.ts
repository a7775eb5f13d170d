import type { Fields } from "./rows.ts";

/** What stands in a template: text as it is, or the name of a column. */
type Part = { readonly text: string } | { readonly column: string };

/** A text with columns in braces, `"{title}\n\n{body}"`; `{{` and `}}` are braces themselves. */
export class Template {
  readonly #parts: readonly Part[];

  /** @throws Error when a brace has no partner, or a name is empty. */
  constructor(template: string) {
    const parts: Part[] = [];
    for (const [piece, name] of template.matchAll(/\{\{|\}\}|\{([^{}]+)\}|[^{}]+|[{}]/g)) {
      if (name !== undefined) parts.push({ column: name.trim() });
      else if (piece === "{" || piece === "}")
        throw new Error(
          `a "${piece}" without its partner; write "${piece}${piece}" for the character itself`,
        );
      else parts.push({ text: piece === "{{" || piece === "}}" ? piece.charAt(0) : piece });
    }
    this.#parts = parts;
    if (this.columns.length === 0)
      throw new Error('it names no column, so every text would be the same; write "{title}" for a column');
  }

  get columns(): readonly string[] {
    return this.#parts.flatMap((part) => ("column" in part ? [part.column] : []));
  }

  /** @throws Error when a column is missing, or is no text, number or boolean. */
  render(fields: Fields): string {
    return this.#parts
      .map((part) => ("text" in part ? part.text : printable(part.column, column(fields, part.column))))
      .join("");
  }
}

/**
 * The value of a column; `meta.title` reaches into an object where no column has that name.
 *
 * @throws Error when there is none, or it is null.
 */
export function column(fields: Fields, name: string): unknown {
  let value: unknown = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined && name.includes(".")) {
    value = fields;
    for (const key of name.split("."))
      value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  if (value !== undefined && value !== null) return value;
  const names = Object.keys(fields).map((key) => JSON.stringify(key));
  const shown = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
  throw new Error(
    value === null
      ? `has null in the column "${name}"`
      : `has no column "${name}"; it has ${shown === "" ? "none" : shown}`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function printable(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  throw new Error(
    `has ${kindOf(value)} in the column "${name}"; a template takes text, numbers and booleans`,
  );
}

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
