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

function readIssue(issue: StandardIssue, options: unknown, schema: unknown): OptionIssue[] {
  const path = (issue.path ?? []).map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment;
    return typeof key === "symbol" ? String(key) : key;
  });
  // zod gives the unknown keys of one object as one issue, at the path of the object.
  const { code, keys } = issue as { code?: unknown; keys?: unknown };
  if (code === "unrecognized_keys" && Array.isArray(keys))
    return keys.map((key) => explainIssue([...path, String(key)], "unknown option", options, schema));
  return [explainIssue(path, issue.message, options, schema)];
}

/** Adds what was probably meant to an issue about an unknown option, and to any other what was given. */
function explainIssue(path: Path, message: string, options: unknown, schema: unknown): OptionIssue {
  const names = optionNames(schema, path.slice(0, -1));
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

function optionNames(schema: unknown, path: Path): readonly string[] {
  const step = (at: unknown, key: string | number): unknown =>
    typeof key === "number" ? member(at, "items") : member(member(at, "properties"), key);
  return Object.keys(Object(member(path.reduce(step, schema), "properties")));
}

function member(value: unknown, key: string | number): unknown {
  return typeof value === "object" ? (value as Record<string | number, unknown> | null)?.[key] : undefined;
}
