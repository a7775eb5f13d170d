import type { Factory, Registry, RegistryEntry } from "../registry/index.ts";
import { type TopLevelKey, topLevel } from "../run/check-config.ts";
import { globalRegistries, type Registries } from "../run/registries.ts";
import { isRecord, type JsonSchema } from "./json-schema.ts";
import { optionsSchema, withProperties } from "./options-schema.ts";

/** The JSON Schema of run files, and what keeps components from being in it. */
export interface RunSchema {
  readonly schema: JsonSchema;
  /** Components whose options are not known, and why; their names are in the schema. */
  readonly problems: readonly string[];
}

/** What tells the schema from other files. */
export const runSchemaTitle = "Codex ML run file";

/** Options that a run itself adds or reads, by the key of its components. */
const ofTheRun: Readonly<
  Partial<Record<keyof Registries, { adds?: readonly string[]; reads?: JsonSchema }>>
> = {
  tokenizers: { reads: { from: from("its vocabulary, as it was learned") } },
  models: {
    adds: ["vocabSize", "labels"],
    reads: { from: from("its options, and its weights as first values") },
  },
};

function from(what: string): JsonSchema {
  return {
    type: "string",
    minLength: 1,
    description: `Directory of a finished run of the same component, to start from: ${what}.`,
  };
}

/**
 * The JSON Schema (draft 2020-12) of run files with the components that can be named here: the built-ins, and those of the
 * project's packages, which are imported for their options. It knows what stands in one file: that a path exists, that two
 * options fit each other, and what an `extends` adds, only `config check` knows.
 */
export async function runFileSchema(registries: Registries = globalRegistries): Promise<RunSchema> {
  const problems: string[] = [];
  const defs: Record<string, unknown> = {};
  for (const key of Object.keys(registries) as (keyof Registries)[])
    Object.assign(defs, await componentSchemas(key, registries[key], problems));
  const keys = Object.entries(topLevel) as [string, TopLevelKey<unknown>][];
  const each = (form: Form) =>
    Object.fromEntries(
      keys
        .filter(([, { component }]) => form !== "known" || component !== undefined)
        .map(([name, key]) => [name, valueSchema(key, form)]),
    );
  const required = ["tokenizer", "data", "model", "trainer"];
  return {
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: runSchemaTitle,
      description: "A run: its tokenizer, data, model, trainer and metrics.",
      type: "object",
      properties: {
        $schema: { type: "string", description: "This schema, for editors; a run does not read it." },
        extends: {
          description:
            "Run files that this one changes, relative to it; the last goes before the others. null takes back what they say.",
          anyOf: [nonEmpty, { type: "array", items: nonEmpty, minItems: 1 }],
        },
        ...Object.fromEntries(
          keys.map(([name, { description, default: fallback }]) => [
            name,
            { description, ...(fallback !== undefined && { default: fallback }) },
          ]),
        ),
      },
      additionalProperties: false,
      allOf: [
        choice(
          { required: ["extends"] },
          { properties: each("change") },
          { required, properties: each("whole") },
        ),
        // What a project's own modules register, only running them tells.
        choice({ required: ["imports"], properties: { imports: { type: "array", minItems: 1 } } }, true, {
          properties: each("known"),
        }),
      ],
      $defs: defs,
    },
    problems,
  };
}

/** A value of a file that stands by itself, of one that changes others, and the names in it alone. */
type Form = "whole" | "change" | "known";

const nonEmpty = { type: "string", minLength: 1 };

function choice(condition: JsonSchema, yes: JsonSchema | true, no?: JsonSchema): JsonSchema {
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  return { if: condition, ...(yes !== true && { then: yes }), ...(no !== undefined && { else: no }) };
}

function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "null" }] };
}

function valueSchema({ schema = {}, component, list }: TopLevelKey<unknown>, form: Form): JsonSchema {
  if (component === undefined) return form === "change" ? orNull(schema) : schema;
  // A list stands in place of the base's, so what is in it is complete.
  if (list !== true) return { $ref: `#/$defs/${component}.${form}` };
  const items = { $ref: `#/$defs/${component}.${form === "change" ? "whole" : form}` };
  return form === "known" ? { items } : { type: form === "change" ? ["array", "null"] : "array", items };
}

/** A registered component by every spelling that a run file may give its name. */
interface Named {
  readonly entry: RegistryEntry;
  readonly spellings: readonly string[];
  /** Its options as an object's schema, `name` among them. */
  readonly schema: JsonSchema;
  /** Whether it can be named without options. */
  readonly stands: boolean;
}

/**
 * The definitions of one kind: `models.whole` (a name, or a name with all options that it needs), `models.change` (options that
 * change another file's, null to take one back), `models.known` (the name is one of these), `models.names`, and two of each
 * component.
 */
async function componentSchemas(
  key: keyof Registries,
  registry: Registry<unknown>,
  problems: string[],
): Promise<Record<string, JsonSchema>> {
  const components: Named[] = [];
  for (const entry of registry.entries()) {
    const spellings = spellingsOf(registry, entry);
    if (spellings.length > 0) components.push(await named(key, registry, entry, spellings, problems));
  }
  const names: JsonSchema[] = components.flatMap(({ entry: { description, origin }, spellings }) =>
    spellings
      .filter((spelling) => origin.kind !== "builtin" || !spelling.includes("/"))
      .map((spelling) => ({ const: spelling, ...(description !== undefined && { description }) })),
  );
  // Allowed, but nothing that an editor should offer beside the short names.
  names.push({
    pattern: `^${components.find(({ entry }) => entry.origin.kind === "builtin")?.entry.origin.package}/`,
  });
  const needing = components.filter(({ stands }) => !stands).flatMap(({ spellings }) => spellings);
  const optionsOf = (suffix: string) =>
    components.map(({ spellings, entry }) =>
      choice(
        { type: "object", properties: { name: { enum: spellings } }, required: ["name"] },
        { $ref: `#/$defs/${definitionOf(key, entry)}${suffix}` },
      ),
    );
  // The names are there for editors to offer, whatever else may stand.
  const offered = [{ $ref: `#/$defs/${key}.names` }, {}];
  const name = {
    description: `Which ${registry.kind.noun}.`,
    anyOf: [{ $ref: `#/$defs/${key}.names` }, nonEmpty],
  };
  return {
    [`${key}.names`]: { anyOf: names },
    [`${key}.known`]: choice(
      { type: "string" },
      { $ref: `#/$defs/${key}.names` },
      { properties: { name: { $ref: `#/$defs/${key}.names` } } },
    ),
    [`${key}.whole`]: {
      type: ["string", "object"],
      minLength: 1,
      anyOf: offered,
      properties: { name },
      required: ["name"],
      // A bare name, where none of the component's options must be given.
      ...(needing.length > 0 && { not: { enum: needing } }),
      allOf: optionsOf(""),
    },
    [`${key}.change`]: {
      type: ["string", "object", "null"],
      minLength: 1,
      anyOf: offered,
      properties: { name },
      allOf: optionsOf(".change"),
    },
    ...Object.fromEntries(
      components.flatMap(({ entry, schema }): [string, JsonSchema][] => {
        const at = definitionOf(key, entry);
        return [
          [at, schema],
          [`${at}.change`, changeOf(schema, at)],
        ];
      }),
    ),
  };
}

function definitionOf(key: string, { name, qualifiedName }: RegistryEntry): string {
  return `${key}:${(qualifiedName ?? name).replaceAll("/", ":")}`;
}

/** Some of the options, each as it is or null. */
function changeOf(schema: JsonSchema, at: string): JsonSchema {
  const { properties, additionalProperties } = schema;
  if (!isRecord(properties)) return { type: "object" };
  const changed = Object.keys(properties).map((option) => [
    option,
    orNull({ $ref: `#/$defs/${at}/properties/${option.replaceAll("~", "~0").replaceAll("/", "~1")}` }),
  ]);
  return {
    type: "object",
    properties: Object.fromEntries(changed),
    ...(additionalProperties !== undefined && { additionalProperties }),
  };
}

async function named(
  key: keyof Registries,
  registry: Registry<unknown>,
  entry: RegistryEntry,
  spellings: readonly string[],
  problems: string[],
): Promise<Named> {
  const { adds = [], reads = {} } = ofTheRun[key] ?? {};
  const { description } = entry;
  const anything = { type: "object", ...(description !== undefined && { description }) };
  let factory: Factory<unknown>;
  try {
    factory = await registry.get(spellings[0] ?? entry.name);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return { entry, spellings, schema: anything, stands: true };
  }
  const options = optionsSchema(factory, `#/$defs/${definitionOf(key, entry)}`);
  if (options === undefined) return { entry, spellings, schema: anything, stands: true };
  const { required = [], ...rest } = options as { required?: readonly string[] };
  const must = required.filter((option) => !adds.includes(option));
  const schema = withProperties(
    { ...anything, ...rest, ...(must.length > 0 && { required: must }) },
    { name: { description: description ?? `Which ${registry.kind.noun}.` }, ...reads },
  );
  return { entry, spellings, schema, stands: must.length === 0 };
}

/** Every spelling that this entry answers to: `name`, aliases, `package/name`. */
function spellingsOf(registry: Registry<unknown>, { name, aliases, qualifiedName, origin }: RegistryEntry) {
  return [name, ...aliases, ...(qualifiedName === undefined ? [] : [qualifiedName])].filter((spelling) => {
    // Of a name that two packages claim, neither answers.
    if (!registry.has(spelling)) return false;
    try {
      const answer = registry.inspect(spelling);
      return answer.name === name && answer.origin.package === origin.package;
    } catch {
      return false;
    }
  });
}
