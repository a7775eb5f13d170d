import { closestNames, describeValue, isRecord, quote } from "../packages/index.ts";
import type { Factory, StandardIssue, StandardSchemaV1 } from "./component.ts";
import type { OptionIssue } from "./errors.ts";

type Path = readonly (string | number)[];
type Accepted = { readonly value?: unknown; readonly issues?: readonly OptionIssue[] };

/** What a factory is called with: the options, validated and with defaults where it has a schema; or what is wrong. */
export async function acceptOptions(factory: Factory<unknown>, options: unknown): Promise<Accepted> {
  const unsafe = [...unsafeKeys(options)];
  if (unsafe.length > 0) {
    const message = "this key leads to the prototype of every object, and no option has such a name";
    return { issues: unsafe.map((path) => ({ path, message })) };
  }
  if (typeof factory === "function") return { value: options };
  const schema = factory.options;
  // A schema would see an object without properties in them, and let the defaults stand for what was meant.
  if ([Map, Set, Date, Promise].some((type) => options instanceof type)) {
    const message = `options are an object of names and values, not ${describeValue(options)}`;
    return { issues: [{ path: [], message }] };
  }
  if (schema !== undefined) {
    const result = await schema["~standard"].validate(options);
    if (result.issues === undefined) return { value: result.value };
    const known = jsonSchemaOf(schema);
    return { issues: result.issues.flatMap((issue) => readIssue(issue, options, known)) };
  }
  if (!isRecord(options))
    return { issues: [{ path: [], message: `it takes no options, and got ${describeValue(options)}` }] };
  const given = Object.keys(options);
  if (given.length === 0) return { value: options };
  return { issues: given.map((key) => ({ path: [key], message: "unknown option; it takes none" })) };
}

/**
 * Paths of the keys that a careless copy or merge, in a factory or a schema library, would follow to `Object.prototype`:
 * `__proto__`, and `constructor` where it holds a `prototype`. Runs no getter, and takes plain data alone apart.
 */
function* unsafeKeys(value: unknown, path: Path = [], seen = new Set<unknown>()): Generator<Path> {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++)
      if (typeof value[index] === "object") yield* unsafeKeys(value[index], [...path, index], seen);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return;
  for (const key of Object.keys(value)) {
    const inner: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
    if (key === "__proto__" || (key === "constructor" && Object.hasOwn(Object(inner), "prototype")))
      yield [...path, key];
    else if (typeof inner === "object") yield* unsafeKeys(inner, [...path, key], seen);
  }
}

/** The options as JSON Schema, where the library can say: it serves suggestions only. */
function jsonSchemaOf(schema: StandardSchemaV1): unknown {
  try {
    // `unrepresentable` keeps zod from throwing away all the names because of one transform or custom check.
    const libraryOptions = { unrepresentable: "any" };
    return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12", libraryOptions });
  } catch {
    return undefined;
  }
}

/** What zod tells of an issue beyond the standard. */
interface ZodIssue extends StandardIssue {
  readonly code?: unknown;
  /** Unknown keys of one object. */
  readonly keys?: unknown;
  /** Values that would have been right. */
  readonly values?: unknown;
  /** Of the property that tells the forms of an object apart. */
  readonly options?: unknown;
  /** Issues of each alternative of a union. */
  readonly errors?: unknown;
}

function readIssue(issue: ZodIssue, options: unknown, schema: unknown): OptionIssue[] {
  const path = pathOf(issue);
  const { code, keys, values = issue.options } = issue;
  const meant = meantAlternative(issue);
  if (meant !== undefined)
    return meant.flatMap((inner) =>
      readIssue({ ...inner, path: [...path, ...pathOf(inner)] }, options, schema),
    );
  // zod gives the unknown keys of one object as one issue, at the path of the object.
  if (code === "unrecognized_keys" && Array.isArray(keys))
    return keys.map((key) => explainIssue([...path, String(key)], "unknown option", options, schema));
  const explained = explainIssue(path, issue.message, options, schema);
  const given = path.reduce(member, options);
  if (!Array.isArray(values) || typeof given !== "string") return [explained];
  const [closest] = closestNames(given, values.map(String));
  return [closest === undefined ? explained : { ...explained, closest }];
}

function pathOf({ path = [] }: StandardIssue): Path {
  return path.map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment;
    return typeof key === "symbol" ? String(key) : key;
  });
}

/** The issues of the one alternative of a union that the value could be meant for; others are of another type. */
function meantAlternative({ code, errors }: ZodIssue): readonly ZodIssue[] | undefined {
  if (code !== "invalid_union" || !Array.isArray(errors)) return undefined;
  const alternatives = errors as readonly (readonly ZodIssue[])[];
  const without = (...codes: readonly string[]) =>
    alternatives.filter((issues) =>
      issues.every((issue) => pathOf(issue).length > 0 || !codes.includes(String(issue.code))),
    );
  const [inside, ofType] = [without("invalid_type", "invalid_value"), without("invalid_type")];
  const fitting = inside.length > 0 ? inside : ofType;
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Adds what was probably meant to an issue about an unknown option, and to any other what was given. */
function explainIssue(path: Path, message: string, options: unknown, schema: unknown): OptionIssue {
  const names = optionNames(schema, path.slice(0, -1), options);
  const last = path.at(-1);
  if (typeof last === "string" && names.length > 0 && !names.includes(last)) {
    const [closest] = closestNames(last, names);
    if (closest !== undefined) return { path, message, closest };
    return { path, message: `${message}; known are ${names.map(quote).join(", ")}` };
  }
  const given = path.reduce(member, options);
  const [, expected] = /(expected.*), received undefined$/s.exec(message) ?? [];
  if (given === undefined && expected !== undefined) return { path, message: `missing; ${expected}` };
  if (!["string", "number", "boolean"].includes(typeof given)) return { path, message };
  // zod says `expected number, received string`; the value itself says the second half better.
  return { path, message: `${message.replace(/, received \w+$/, "")} (got ${describeValue(given)})` };
}

function optionNames(schema: unknown, path: Path, options: unknown): readonly string[] {
  let [at, value] = [schema, options];
  for (const key of path) {
    at = typeof key === "number" ? member(at, "items") : member(member(formOf(at, value), "properties"), key);
    value = member(value, key);
  }
  return Object.keys(Object(member(formOf(at, value), "properties")));
}

/** Of a schema's alternatives the object that the value is meant for, by its constant properties (`name: "lion"`). */
function formOf(schema: unknown, value: unknown): unknown {
  const alternatives = member(schema, "anyOf") ?? member(schema, "oneOf");
  if (!Array.isArray(alternatives)) return schema;
  return alternatives
    .map((alternative) => formOf(alternative, value))
    .find((form) => {
      const properties = member(form, "properties");
      return (
        isRecord(properties) &&
        Object.entries(properties).every(([name, property]) => {
          const constant = member(property, "const");
          return constant === undefined || constant === member(value, name);
        })
      );
    });
}

function member(value: unknown, key: string | number): unknown {
  return typeof value === "object" ? (value as Record<string | number, unknown> | null)?.[key] : undefined;
}
