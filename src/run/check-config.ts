import { dataLoaders } from "../data-loaders/index.ts";
import { type Metric, metrics } from "../metrics/index.ts";
import { models } from "../models/index.ts";
import { closestNames, describeValue, normalizePin } from "../packages/index.ts";
import type { PluginSelection, RegistryKind } from "../registry/index.ts";
import { type DeviceChoice, deviceChoices } from "../runtime/devices/choices.ts";
import { tokenizers } from "../tokenizers/index.ts";
import { trainers } from "../trainers/index.ts";
import type { PartialRunConfig, RunConfig, Slot } from "./config.ts";
import { unreadableFormat } from "./formats.ts";
import { isPlain } from "./plain-json.ts";
import type { ConfigPath } from "./problems.ts";
import type { Registries } from "./registries.ts";

/** Told of one mistake. `side` says what to point at: the key that should not be there, or the value that is wrong. */
export type ReportProblem = (
  path: ConfigPath,
  message: string,
  details?: {
    readonly closest?: string | undefined;
    readonly side?: "key" | "value";
    readonly cause?: unknown;
  },
) => void;

/** One key at the top of a run file. The table of them is the one place to add another. */
export interface TopLevelKey<Value> {
  /** What it is for, in a sentence; editors show it. */
  readonly description: string;
  /** What holds where a run file does not say; left out where other things decide. */
  readonly default?: unknown;
  /** Its JSON Schema; that of a component comes from its registry. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** The registry of the component that it names. */
  readonly component?: keyof Registries;
  /** It names a list of components. */
  readonly list?: true;
  /** Reports what is wrong with a value, and gives what the run goes on with. */
  check(value: unknown, say: ReportProblem): Value;
}

const defaultSeed = 1337;

/** Raised when a run file of today would mean something else to a version of before. */
const runFileFormat = 1;

const paths = { type: "array", items: { type: "string", minLength: 1 } };
const selection = {
  anyOf: [
    { const: "auto", description: "Every direct dependency of the project." },
    { const: false, description: "No package." },
    { type: "array", items: { type: "string" }, description: "These packages alone." },
  ],
};

export const topLevel: { readonly [Key in keyof RunConfig]-?: TopLevelKey<PartialRunConfig[Key]> } = {
  format: {
    description: "Version of the format of run files. A file without it is of version 1.",
    default: runFileFormat,
    schema: { const: runFileFormat },
    check: checkFormat,
  },
  seed: {
    description: "Decides initial weights, the order of the data and dropout.",
    default: defaultSeed,
    schema: { type: "integer", minimum: 0 },
    check: checkSeed,
  },
  device: {
    description: "What computes. auto: a GPU where there is one that can be used, else the CPU.",
    default: "cpu",
    schema: { enum: [...deviceChoices] },
    check: checkDevice,
  },
  directory: {
    description:
      "Folder that relative paths refer to, itself relative to this file. Default: this file's folder.",
    schema: { type: "string", minLength: 1 },
    check: checkDirectory,
  },
  tokenizer: slotKey("tokenizer", "tokenizers", "What makes tokens of text.", tokenizers),
  data: slotKey("data", "dataLoaders", "The data loader: what is trained on.", dataLoaders),
  model: slotKey("model", "models", "The model.", models),
  trainer: slotKey("trainer", "trainers", "How it is trained, and how long.", trainers),
  metrics: {
    description:
      "What is computed at each evaluation besides the loss. Default: perplexity for language models, accuracy for classifiers.",
    component: "metrics",
    list: true,
    check: checkMetrics,
  },
  imports: {
    description: "Modules of the project that register components, imported before names are looked up.",
    default: [],
    schema: paths,
    check: checkImports,
  },
  limit: {
    description: "A trial: only the first so many examples of each split are read.",
    schema: { type: "integer", minimum: 1 },
    check: countKey("limit"),
  },
  overfitBatch: {
    description: "A trial: the first so many batches are to be learned by heart.",
    schema: { type: "integer", minimum: 1 },
    check: countKey("overfitBatch"),
  },
  plugins: {
    description:
      "Which packages may bring components, and which of them answers for a name that two claim. Default: what the project's package.json says, else auto.",
    schema: {
      anyOf: [
        ...selection.anyOf,
        {
          type: "object",
          properties: {
            packages: selection,
            pins: {
              type: "object",
              additionalProperties: { type: "string" },
              description: 'Package by component, for example { "metrics/toy_metric": my-extension }.',
            },
          },
          additionalProperties: false,
        },
      ],
    },
    check: checkPlugins,
  },
};

/** What a message lists, in the order of a run file. */
const keys = Object.keys(topLevel);

/**
 * Checks the top level of a run and fills in its defaults. Every mistake is reported; the result is undefined when it is no
 * mapping at all.
 */
export function checkConfig(value: unknown, say: ReportProblem): PartialRunConfig | undefined {
  if (!isRecord(value)) {
    const got = value === null || value === undefined ? "it is empty" : `got ${describeValue(value)}`;
    say([], `a run file is a mapping with tokenizer, data, model and trainer; ${got}`);
    return undefined;
  }
  // What a newer version means by its keys, nobody knows here.
  if (typeof value.format === "number" && value.format > runFileFormat) {
    checkFormat(value.format, say);
    return undefined;
  }
  checkKeys(value, [], [...keys, "extends"], "key", say);
  if (Object.hasOwn(value, "extends"))
    say(["extends"], "only a run file itself can say what it extends; write it there", { side: "key" });
  const spelled = spelledKeys(value);
  const sayAsSpelled: ReportProblem = (path, ...rest) => say(asSpelled(path, spelled), ...rest);
  return Object.fromEntries(
    Object.entries(topLevel).map(([key, { check }]) => [
      key,
      check(value[spelled.get(key) ?? key], sayAsSpelled),
    ]),
  ) as unknown as PartialRunConfig;
}

/**
 * Keys that are not there, with the misspelt ones that must be meant: `trianer` for `trainer`. What stands there is checked,
 * too, so that the mistakes in it show at once and not when the key is mended.
 */
export function spelledKeys(value: unknown): ReadonlyMap<string, string> {
  if (!isRecord(value)) return new Map();
  return new Map(
    Object.keys(value).flatMap((key): [string, string][] => {
      const [meant] = keys.includes(key) ? [] : closestNames(key, [...keys, "extends"]);
      return meant === undefined || Object.hasOwn(value, meant) ? [] : [[meant, key]];
    }),
  );
}

/** A path with its first key as the run has it. */
export function asSpelled(path: ConfigPath, spelled: ReadonlyMap<string, string>): ConfigPath {
  const [first, ...rest] = path;
  const written = spelled.get(String(first));
  return written === undefined ? path : [written, ...rest];
}

function slotKey<Component>(
  key: string,
  registry: keyof Registries,
  description: string,
  kind: RegistryKind<Component>,
): TopLevelKey<Slot<Component> | undefined> {
  const check = (value: unknown, say: ReportProblem): Slot<Component> | undefined => {
    if (value !== undefined) return checkSlot(value, [key], kind, say);
    const example = Object.keys(kind.builtins)[0] ?? "…";
    say([key], `missing; give the name of a ${kind.noun}, for example \`${key}: ${example}\``);
    return undefined;
  };
  return { description, component: registry, check };
}

function checkKeys(
  value: Readonly<Record<string, unknown>>,
  path: ConfigPath,
  known: readonly string[],
  noun: string,
  say: ReportProblem,
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const [closest] = closestNames(key, known);
    const list = closest === undefined ? `; known are ${known.join(", ")}` : "";
    say([...path, key], `unknown ${noun}${list}`, { closest, side: "key" });
  }
}

function checkFormat(value: unknown, say: ReportProblem): typeof runFileFormat {
  if (value !== undefined && value !== runFileFormat)
    say(["format"], `${unreadableFormat(value, runFileFormat)}`);
  return runFileFormat;
}

function checkSeed(value: unknown, say: ReportProblem): number {
  if (value === undefined) return defaultSeed;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  say(["seed"], `expected a whole number from 0, got ${describeValue(value)}`);
  return defaultSeed;
}

function checkDevice(value: unknown, say: ReportProblem): DeviceChoice {
  const choice = deviceChoices.find((known) => known === value);
  if (value !== undefined && choice === undefined) {
    const [closest] = typeof value === "string" ? closestNames(value, deviceChoices) : [];
    say(["device"], `expected one of ${deviceChoices.join(", ")}, got ${describeValue(value)}`, { closest });
  }
  return choice ?? "cpu";
}

function checkDirectory(value: unknown, say: ReportProblem): string | undefined {
  if (value === undefined || (typeof value === "string" && value !== "")) return value;
  say(["directory"], `expected the path of a folder, got ${describeValue(value)}`);
  return undefined;
}

/** A number of examples or batches, where one is given. */
function countKey(key: string) {
  return (value: unknown, say: ReportProblem): number | undefined => {
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    say([key], `expected a whole number from 1, got ${describeValue(value)}`);
    return undefined;
  };
}

function checkImports(value: unknown, say: ReportProblem): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((path) => typeof path === "string" && path !== "")) return value;
  const hint = typeof value === "string" ? `; write [${value}]` : "";
  say(["imports"], `expected a list of paths of modules, got ${describeValue(value)}${hint}`);
  return [];
}

function checkSlot<Component>(
  value: unknown,
  path: ConfigPath,
  kind: RegistryKind<Component>,
  say: ReportProblem,
): Slot<Component> | undefined {
  if (typeof value === "string" && value.trim() !== "") return { name: value, options: {} };
  if (isClass(value)) {
    say(path, `expected a ${kind.noun}, got the class ${value.name}; give an instance: new ${value.name}(…)`);
    return undefined;
  }
  // Before the name is looked at: an object that fulfils the contract may well have a `name` too.
  if (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    kind.check(value) === undefined
  )
    return { object: value as Component, name: nameOf(value) };
  if (isRecord(value) && isPlain(value)) {
    const { name, object, ...options } = value;
    if (typeof name === "string" && name.trim() !== "")
      return { name, options: object === undefined ? options : { ...options, object } };
    if (name === undefined && typeof object === "string" && Object.keys(options).length === 0)
      say(
        path,
        `this run was made by a program that gave the ${kind.noun} ${object} as an object, which a file cannot hold. Train from that program again, or register ${object} and give its name here`,
      );
    else if (name === undefined) say(path, `missing \`name\`: which ${kind.noun} is it?`);
    else say([...path, "name"], `expected the name of a ${kind.noun}, got ${describeValue(name)}`);
    return undefined;
  }
  const contract =
    typeof value === "object" && value !== null && !Array.isArray(value) ? kind.check(value) : undefined;
  say(
    path,
    `expected the name of a ${kind.noun}, or \`{ name: …, options }\`, got ${describeValue(value)}${contract === undefined ? "" : `; as a ${kind.noun} it lacks ${contract}`}`,
  );
  return undefined;
}

function checkMetrics(value: unknown, say: ReportProblem): PartialRunConfig["metrics"] {
  if (value === undefined) return undefined;
  const given = value;
  if (!Array.isArray(given)) {
    const hint = typeof given === "string" ? `; write [${given}]` : "";
    say(["metrics"], `expected a list of metrics, got ${describeValue(given)}${hint}`);
    return [];
  }
  const slots: (Slot<Metric> | undefined)[] = [];
  for (const [index, entry] of given.entries()) {
    const slot = checkSlot(entry, ["metrics", index], metrics, say);
    // Results are kept by name, so a second one would overwrite the first.
    if (slot !== undefined && slots.some((other) => other?.name === slot.name))
      say(["metrics", index], `the metric "${slot.name}" is already in the list`);
    slots.push(slot);
  }
  return slots;
}

function checkPlugins(value: unknown, say: ReportProblem): RunConfig["plugins"] {
  if (value === undefined) return {};
  if (!isRecord(value)) return { packages: checkSelection(value, ["plugins"], say) };
  checkKeys(value, ["plugins"], ["packages", "pins"], "key", say);
  return {
    ...(value.packages === undefined
      ? {}
      : { packages: checkSelection(value.packages, ["plugins", "packages"], say) }),
    ...(value.pins === undefined ? {} : { pins: checkPins(value.pins, say) }),
  };
}

function checkSelection(value: unknown, path: ConfigPath, say: ReportProblem): PluginSelection {
  if (value === "auto" || value === false) return value;
  if (Array.isArray(value) && value.every((name) => typeof name === "string")) return value;
  const alternatives =
    path.length === 1
      ? 'expected "auto", false, a list of package names, or `{ packages, pins }`'
      : 'expected "auto", false or a list of package names';
  say(path, `${alternatives}; got ${describeValue(value)}`);
  return false;
}

function checkPins(value: unknown, say: ReportProblem): Readonly<Record<string, string>> {
  const path = ["plugins", "pins"];
  if (!isRecord(value)) {
    say(
      path,
      `expected package names by component, for example { "metrics/toy_metric": my-extension }; got ${describeValue(value)}`,
    );
    return {};
  }
  const pins: Record<string, string> = {};
  for (const [key, owner] of Object.entries(value)) {
    try {
      normalizePin(key);
    } catch (error) {
      say([...path, key], error instanceof Error ? error.message : String(error), { side: "key" });
    }
    if (typeof owner === "string") pins[key] = owner;
    else say([...path, key], `expected the name of a package, got ${describeValue(owner)}`);
  }
  return pins;
}

function nameOf(component: object): string {
  if (typeof component === "function") return component.name === "" ? "anonymous" : component.name;
  if ("name" in component && typeof component.name === "string" && component.name !== "")
    return component.name;
  const maker: unknown = component.constructor;
  return typeof maker === "function" && maker !== Object && maker.name !== "" ? maker.name : "anonymous";
}

function isClass(value: unknown): value is { readonly name: string } {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
