import type { Factory } from "../registry/index.ts";
import { isRecord, type JsonSchema } from "./json-schema.ts";

/**
 * The options of a component as its schema library tells them (JSON Schema, draft 2020-12); undefined when it does not
 * describe them, an object without properties when it takes none.
 *
 * @param at Where the schema will stand in a larger one, for the references inside it.
 */
export function optionsSchema(factory: Factory<unknown>, at = "#"): JsonSchema | undefined {
  if (typeof factory === "function") return undefined;
  const standard = factory.options?.["~standard"];
  if (standard === undefined) return { type: "object", properties: {}, additionalProperties: false };
  try {
    const described = standard.jsonSchema?.input({
      target: "draft-2020-12",
      libraryOptions: { unrepresentable: "any" },
    });
    if (described === undefined) return undefined;
    const { $schema: _, ...schema } = described;
    return moved(schema, at) as JsonSchema;
  } catch {
    return undefined; // A library that cannot describe this schema.
  }
}

/** A schema whose references start at another place. Bounds that only say what a JavaScript number can hold are left out. */
function moved(value: unknown, at: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => moved(entry, at));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]): [string, unknown][] => {
      if (key === "$ref" && typeof entry === "string" && entry.startsWith("#"))
        return [[key, at + entry.slice(1)]];
      if ((key === "maximum" || key === "minimum") && Math.abs(Number(entry)) === Number.MAX_SAFE_INTEGER)
        return [];
      // What an option's default or choices are is data, whatever it looks like.
      return [[key, ["default", "const", "enum", "examples"].includes(key) ? entry : moved(entry, at)]];
    }),
  );
}

/** An object's schema, or one of several forms of objects, that allows these properties, too. */
export function withProperties(schema: JsonSchema, properties: JsonSchema): JsonSchema {
  const within = (forms: unknown) =>
    Array.isArray(forms)
      ? forms.map((form) => (isRecord(form) ? withProperties(form, properties) : form))
      : forms;
  const { anyOf, oneOf, allOf } = schema;
  if (anyOf !== undefined || oneOf !== undefined || allOf !== undefined)
    return {
      ...schema,
      ...(anyOf !== undefined && { anyOf: within(anyOf) }),
      ...(oneOf !== undefined && { oneOf: within(oneOf) }),
      ...(allOf !== undefined && { allOf: within(allOf) }),
    };
  if (schema.type !== "object" && schema.properties === undefined) return schema;
  const own = isRecord(schema.properties) ? schema.properties : {};
  return { ...schema, properties: { ...properties, ...own } };
}
