import { describeValue, quote } from "./display.ts";
import type { OptionIssue } from "./errors.ts";
import { isRecord } from "./packages.ts";
import type { StandardIssue, StandardSchemaV1 } from "./standard-schema.ts";
import { closestNames } from "./suggest.ts";

type Path = readonly (string | number)[];
type JsonSchema = Readonly<Record<string, unknown>>;
type Validated<Output> = { readonly value: Output } | { readonly issues: readonly OptionIssue[] };

/** Validates options with the component's schema; issues say what was expected, what came, and what was probably meant. */
export async function validateOptions<Output>(
  schema: StandardSchemaV1<unknown, Output>,
  options: unknown,
): Promise<Validated<Output>> {
  const result = await schema["~standard"].validate(options);
  if (result.issues === undefined) return { value: result.value };
  const jsonSchema = inputSchema(schema);
  return { issues: result.issues.flatMap((issue) => readIssue(issue, options, jsonSchema)) };
}

/** Issues for a component that takes no options and was given some; `undefined` when it was given none. */
export function refuseOptions(options: unknown): readonly OptionIssue[] | undefined {
  if (options === undefined || options === null) return undefined;
  if (!isRecord(options))
    return [{ path: [], message: `it takes no options, and got ${describeValue(options)}` }];
  const keys = Object.keys(options);
  if (keys.length === 0) return undefined;
  return keys.map((key) => ({ path: [key], message: "unknown option; it takes none" }));
}

/** The names that the schema knows at `path`, when the library can say. */
function optionNames(schema: JsonSchema | undefined, path: Path): readonly string[] {
  let at: unknown = schema;
  for (const key of path) {
    if (!isRecord(at)) return [];
    at = typeof key === "number" ? at.items : isRecord(at.properties) ? at.properties[key] : undefined;
  }
  return isRecord(at) && isRecord(at.properties) ? Object.keys(at.properties) : [];
}

function inputSchema(schema: StandardSchemaV1): JsonSchema | undefined {
  try {
    // `unrepresentable` keeps zod from throwing away all the names because of one transform or custom check.
    const libraryOptions = { unrepresentable: "any" };
    return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12", libraryOptions });
  } catch {
    return undefined; // It serves suggestions only.
  }
}

function readIssue(issue: StandardIssue, options: unknown, schema: JsonSchema | undefined): OptionIssue[] {
  const path = (issue.path ?? []).map(readKey);
  // zod gives the unknown keys of one object as one issue, at the path of the object.
  const { code, keys } = issue as { code?: unknown; keys?: unknown };
  if (code === "unrecognized_keys" && Array.isArray(keys))
    return keys.map((key) => unknownOption([...path, String(key)], "unknown option", schema));
  const parent = path.slice(0, -1);
  const last = path.at(-1);
  const names = optionNames(schema, parent);
  if (typeof last === "string" && names.length > 0 && !names.includes(last))
    return [unknownOption(path, issue.message, schema)];
  // zod says `expected number, received string`; the value itself says the second half better.
  const got = received(options, path);
  const message = got === "" ? issue.message : issue.message.replace(/, received \w+$/, "");
  return [{ path, message: message + got }];
}

function unknownOption(path: Path, message: string, schema: JsonSchema | undefined): OptionIssue {
  const names = optionNames(schema, path.slice(0, -1));
  const [closest] = closestNames(String(path.at(-1)), names);
  if (closest !== undefined) return { path, message, closest };
  return {
    path,
    message:
      names.length === 0 ? message : `${message}; known are ${names.map((name) => quote(name)).join(", ")}`,
  };
}

/** The offending value where it is short enough to help; messages of schemas tend to give its type only. */
function received(options: unknown, path: Path): string {
  let value = options;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return "";
    value = (value as Record<string | number, unknown>)[key];
  }
  const worthShowing = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return worthShowing ? ` (got ${describeValue(value)})` : "";
}

function readKey(segment: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof segment === "object" ? segment.key : segment;
  return typeof key === "symbol" ? String(key) : key;
}
