import type { Factory } from "../registry/index.ts";
import {
  alternatives,
  isRecord,
  type JsonSchema,
  type Located,
  limitsOf,
  part,
  propertiesOf,
  typeOf,
} from "./json-schema.ts";
import { optionsSchema } from "./options-schema.ts";

/** One option of a component, as its schema tells it. */
export interface OptionRow {
  /** Its path: `schedule.warmup` is `warmup` of the object `schedule`, `stages[].steps` of each in a list, `weights.*.decay` of each in a record. */
  readonly name: string;
  /** `integer`, `"a" | "b"`, `string[]`, `{ [name]: number }`, `object`. */
  readonly type: string;
  /** What narrows the type: `≥ 1`, `length ≤ 80`. */
  readonly limits: readonly string[];
  /** Must be given, where the object that it belongs to is. */
  readonly required: boolean;
  readonly default?: unknown;
  readonly description?: string;
  /** Only in one of several forms of its object: `kind: "cosine"`. */
  readonly when?: string;
}

/** The options of a component, those of nested objects after their object; `undefined` when it does not describe them. */
export function optionRows(factory: Factory<unknown>): OptionRow[] | undefined {
  const schema = optionsSchema(factory);
  return schema === undefined ? undefined : rowsOfSchema(schema);
}

/** The rows of the JSON Schema of an object; `undefined` when it describes no object. */
function rowsOfSchema(schema: JsonSchema): OptionRow[] | undefined {
  const located = part({ schema, root: schema, followed: ["#"] }, schema);
  const isObject = alternatives(located).some((one) => isRecord(one.schema.properties));
  return isObject ? rowsBelow(located, "", undefined) : undefined;
}

/** Rows of every object that a value may hold: itself, each of a list, each of a record. */
function rowsBelow(located: Located, path: string, when: string | undefined): OptionRow[] {
  const choices = alternatives(located);
  const objects = choices.filter((choice) => propertiesOf(choice) !== undefined);
  const lists = choices.flatMap((choice) => {
    const { items, additionalProperties } = choice.schema;
    return [
      ...(isRecord(items) ? rowsBelow(part(choice, items), `${path}[]`, when) : []),
      ...(isRecord(additionalProperties)
        ? rowsBelow(part(choice, additionalProperties), path === "" ? "*" : `${path}.*`, when)
        : []),
    ];
  });
  return [...rowsOfForms(objects, path, when), ...lists];
}

/** Rows of an object, or of the several forms that it may have. What all forms share comes first. */
function rowsOfForms(forms: readonly Located[], path: string, when: string | undefined): OptionRow[] {
  const tag = forms.length > 1 ? tagOf(forms) : undefined;
  return forms.flatMap((form, index) => {
    const condition = forms.length > 1 ? (tag?.values[index] ?? `form ${index + 1}`) : undefined;
    const inside = [when, condition].filter((one) => one !== undefined).join(", ") || undefined;
    const rows = Object.entries(propertiesOf(form) ?? {}).filter(([name]) => name !== tag?.name);
    const { required } = form.schema;
    const own = rows.flatMap(([name, value]) =>
      rowsOf(
        part(form, value),
        below(path, name),
        Array.isArray(required) && required.includes(name),
        inside,
      ),
    );
    return index === 0 && tag !== undefined ? [tagRow(tag, below(path, tag.name), forms, when), ...own] : own;
  });
}

function rowsOf(
  located: Located,
  name: string,
  required: boolean,
  when: string | undefined,
): readonly OptionRow[] {
  const { description } = located.schema;
  const row: OptionRow = {
    name,
    type: typeOf(located),
    limits: limitsOf(located),
    required,
    ...("default" in located.schema && { default: located.schema.default }),
    ...(typeof description === "string" && { description }),
    ...(when !== undefined && { when }),
  };
  return [row, ...rowsBelow(located, name, when)];
}

interface Tag {
  readonly name: string;
  /** Of each form: `kind: "cosine"`. */
  readonly values: readonly string[];
}

/** The property that tells the forms apart: in each of them a constant, and never the same. */
function tagOf(forms: readonly Located[]): Tag | undefined {
  const [first] = forms;
  if (first === undefined) return undefined;
  for (const name of Object.keys(propertiesOf(first) ?? {})) {
    const tags = forms.map((form) => part(form, propertiesOf(form)?.[name]));
    const values = tags.map((tag) => `${name}: ${typeOf(tag)}`);
    const areConstant = tags.every(({ schema }) => "const" in schema || Array.isArray(schema.enum));
    if (areConstant && new Set(values).size === forms.length) return { name, values };
  }
  return undefined;
}

function tagRow({ name }: Tag, path: string, forms: readonly Located[], when: string | undefined): OptionRow {
  const tags = forms.map((form) => part(form, propertiesOf(form)?.[name]));
  const described = tags.find(({ schema }) => typeof schema.description === "string")?.schema.description;
  const fallback = tags.find(({ schema }) => "default" in schema);
  return {
    name: path,
    type: [...new Set(tags.map(typeOf))].join(" | "),
    limits: [],
    required: forms.every(({ schema }) => Array.isArray(schema.required) && schema.required.includes(name)),
    ...(fallback !== undefined && { default: fallback.schema.default }),
    ...(described !== undefined && { description: String(described) }),
    ...(when !== undefined && { when }),
  };
}

function below(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** What a table shows of an option. */
export interface OptionCells {
  readonly type: string;
  /** Limits of a single type; those of a union are long, and stand in `meaning`. */
  readonly limits: string;
  /** The default as JSON, `required`, or nothing: it may be left out and is then not given. */
  readonly fallback: string;
  readonly meaning: string;
}

export function optionCells({ type, limits, required, when, description, ...row }: OptionRow): OptionCells {
  const isUnion = type.includes(" | ");
  return {
    type,
    limits: isUnion ? "" : limits.join(", "),
    fallback: "default" in row ? JSON.stringify(row.default) : required ? "required" : "",
    meaning: [
      ...(when === undefined ? [] : [`With ${when}.`]),
      ...(description === undefined ? [] : [description]),
      ...(isUnion && limits.length > 0 ? [`(${limits.join("; ")})`] : []),
    ].join(" "),
  };
}
