/** What a JSON Schema (draft 2020-12, as schema libraries give it) says of a value, in words that fit a table. */

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema, and the whole that its `$ref`s point into. */
export interface Located {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
  /** References followed on the way here: a schema that holds itself is not followed twice. */
  readonly followed: readonly string[];
}

export function isRecord(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A part of a schema. What is no schema (`true`, or nothing) allows anything. */
export function part(of: Located, schema: unknown): Located {
  const { root, followed } = of;
  return follow({ schema: isRecord(schema) ? schema : {}, root, followed });
}

/** Follows `$ref` and merges `allOf`; what stands beside them goes before what they bring. */
function follow(located: Located): Located {
  const { schema, root, followed } = located;
  if (typeof schema.$ref === "string") {
    const { $ref: reference, ...beside } = schema;
    if (followed.includes(reference)) return { ...located, schema: { type: "object", ...beside } };
    const target = pointedAt(root, reference);
    return follow({ schema: { ...target, ...beside }, root, followed: [...followed, reference] });
  }
  if (!Array.isArray(schema.allOf)) return located;
  const { allOf, ...beside } = schema;
  const parts = [...allOf.map((one) => part(located, one)), { ...located, schema: beside }];
  const properties = Object.assign({}, ...parts.map((one) => one.schema.properties));
  const required = parts.flatMap((one) => (Array.isArray(one.schema.required) ? one.schema.required : []));
  return {
    schema: {
      ...Object.assign({}, ...parts.map((one) => one.schema)),
      ...(Object.keys(properties).length > 0 && { properties, required }),
    },
    root,
    followed: [...new Set(parts.flatMap((one) => one.followed))],
  };
}

/** What `#/$defs/name` points at. */
function pointedAt(root: JsonSchema, reference: string): JsonSchema {
  const keys = reference.replace(/^#\/?/, "").split("/").filter(Boolean);
  const target = keys.reduce<unknown>(
    (at, key) => (isRecord(at) ? at[key.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined),
    root,
  );
  return reference.startsWith("#") && isRecord(target) ? target : {};
}

/** The alternatives of a schema; of one without, the schema alone. */
export function alternatives(located: Located): readonly Located[] {
  const { anyOf, oneOf } = located.schema;
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  return choices === undefined ? [located] : choices.flatMap((choice) => alternatives(part(located, choice)));
}

/** The properties of an object; `undefined` of anything else, and of an object that names none. */
export function propertiesOf({ schema }: Located): JsonSchema | undefined {
  return isRecord(schema.properties) && Object.keys(schema.properties).length > 0
    ? schema.properties
    : undefined;
}

/** The type in a few words: `integer`, `"a" | "b"`, `string[]`, `[number, number]`, `{ [name]: number }`, `object`. */
export function typeOf(located: Located): string {
  const { schema } = located;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return union(schema.enum.map((value) => JSON.stringify(value)));
  const choices = alternatives(located);
  if (choices[0] !== located) return union(choices.map(typeOf));
  const types = [schema.type ?? (propertiesOf(located) ? "object" : "any")].flat();
  return union(types.map((type) => simpleType(String(type), located)));
}

function simpleType(type: string, located: Located): string {
  const { items, prefixItems, additionalProperties } = located.schema;
  const inner = (schema: unknown) => typeOf(part(located, schema));
  if (type === "array" && Array.isArray(prefixItems)) {
    const rest = isRecord(items) ? [`...${arrayOf(inner(items))}`] : [];
    return `[${[...prefixItems.map(inner), ...rest].join(", ")}]`;
  }
  if (type === "array") return arrayOf(inner(items));
  if (type === "object" && propertiesOf(located) === undefined && isRecord(additionalProperties))
    return `{ [name]: ${inner(additionalProperties)} }`;
  return type;
}

function arrayOf(type: string): string {
  return type.includes(" | ") ? `(${type})[]` : `${type}[]`;
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(" | ") || "never";
}

/**
 * What narrows the type: `≥ 1`, `< 1`, `length ≥ 1`, `items ≤ 3`. Of a union, each alternative's with its type before it;
 * of a list or a record, those of what it holds after `each`.
 */
export function limitsOf(located: Located): readonly string[] {
  const choices = alternatives(located);
  if (choices[0] !== located) {
    const told = choices
      .map((choice) => ({ type: typeOf(choice), limits: limitsOf(choice) }))
      .filter(({ limits }) => limits.length > 0);
    return [...new Set(told.map(({ type, limits }) => `${type}: ${limits.join(", ")}`))];
  }
  const { schema } = located;
  if ("const" in schema || Array.isArray(schema.enum)) return [];
  const { type, minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf, format, pattern } = schema;
  const isWhole = type === "integer";
  const within = isRecord(schema.items) ? schema.items : schema.additionalProperties;
  const each = isRecord(within) && propertiesOf(located) === undefined ? limitsOf(part(located, within)) : [];
  return [
    ...(isBound(exclusiveMinimum) ? [isWhole ? `≥ ${exclusiveMinimum + 1}` : `> ${exclusiveMinimum}`] : []),
    ...between("", minimum, undefined),
    ...(isBound(exclusiveMaximum) ? [isWhole ? `≤ ${exclusiveMaximum - 1}` : `< ${exclusiveMaximum}`] : []),
    ...between("", undefined, maximum),
    ...(isBound(multipleOf) && !(isWhole && multipleOf === 1) ? [`a multiple of ${multipleOf}`] : []),
    ...between("length ", schema.minLength, schema.maxLength),
    ...(typeof format === "string" ? [format] : []),
    // A library gives the pattern of a format that it knows by name, which says nothing more.
    ...(typeof pattern === "string" && format === undefined ? [`matches /${pattern}/`] : []),
    // How many a tuple has, its type says.
    ...(Array.isArray(schema.prefixItems) ? [] : between("items ", schema.minItems, schema.maxItems)),
    ...(schema.uniqueItems === true ? ["each once"] : []),
    ...(each.length > 0 ? [`each ${each.join(", ")}`] : []),
  ];
}

function between(what: string, min: unknown, max: unknown): readonly string[] {
  return [...(isBound(min) ? [`${what}≥ ${min}`] : []), ...(isBound(max) ? [`${what}≤ ${max}`] : [])];
}

/** A bound that somebody chose: that a number is no larger than JavaScript can hold goes without saying. */
function isBound(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER;
}
