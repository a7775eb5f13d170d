import { dataLoaders } from "../data-loaders/index.ts";
import { type Metric, metrics } from "../metrics/index.ts";
import { models } from "../models/index.ts";
import { closestNames, describeValue, normalizePin } from "../packages/index.ts";
import type { PluginSelection, RegistryKind } from "../registry/index.ts";
import { type DeviceChoice, deviceChoices } from "../runtime/devices/choices.ts";
import { tokenizers } from "../tokenizers/index.ts";
import { trainers } from "../trainers/index.ts";
import type { RunConfig, Slot } from "./config.ts";
import { isPlain } from "./plain-json.ts";
import type { ConfigPath } from "./problems.ts";

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

const keys = [
  "seed",
  "device",
  "tokenizer",
  "data",
  "model",
  "trainer",
  "metrics",
  "plugins",
  "imports",
  "directory",
];

const defaultSeed = 1337;

/**
 * Checks the top level of a run and fills in its defaults. Every mistake is reported; the result is undefined when
 * one of the four components is missing or cannot be read as one.
 */
export function checkConfig(value: unknown, say: ReportProblem): RunConfig | undefined {
  if (!isRecord(value)) {
    const got = value === null || value === undefined ? "it is empty" : `got ${describeValue(value)}`;
    say([], `a run file is a mapping with tokenizer, data, model and trainer; ${got}`);
    return undefined;
  }
  checkKeys(value, [], keys, "key", say);
  const config = {
    seed: checkSeed(value.seed, say),
    device: checkDevice(value.device, say),
    tokenizer: checkRequired(value, "tokenizer", tokenizers, say),
    data: checkRequired(value, "data", dataLoaders, say),
    model: checkRequired(value, "model", models, say),
    trainer: checkRequired(value, "trainer", trainers, say),
    metrics: checkMetrics(value.metrics, say),
    plugins: checkPlugins(value.plugins, say),
    imports: checkImports(value.imports, say),
    directory: checkDirectory(value.directory, say),
  };
  const { tokenizer, data, model, trainer } = config;
  if (tokenizer === undefined || data === undefined || model === undefined || trainer === undefined)
    return undefined;
  return { ...config, tokenizer, data, model, trainer };
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

function checkImports(value: unknown, say: ReportProblem): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((path) => typeof path === "string" && path !== "")) return value;
  const hint = typeof value === "string" ? `; write [${value}]` : "";
  say(["imports"], `expected a list of paths of modules, got ${describeValue(value)}${hint}`);
  return [];
}

function checkRequired<Component>(
  config: Readonly<Record<string, unknown>>,
  key: string,
  kind: RegistryKind<Component>,
  say: ReportProblem,
): Slot<Component> | undefined {
  if (config[key] !== undefined) return checkSlot(config[key], [key], kind, say);
  say(
    [key],
    `missing; give the name of a ${kind.noun}, for example \`${key}: ${Object.keys(kind.builtins ?? {})[0] ?? "…"}\``,
  );
  return undefined;
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

function checkMetrics(value: unknown, say: ReportProblem): RunConfig["metrics"] {
  if (value === undefined) return undefined;
  const given = value;
  if (!Array.isArray(given)) {
    const hint = typeof given === "string" ? `; write [${given}]` : "";
    say(["metrics"], `expected a list of metrics, got ${describeValue(given)}${hint}`);
    return [];
  }
  const slots: Slot<Metric>[] = [];
  for (const [index, entry] of given.entries()) {
    const slot = checkSlot(entry, ["metrics", index], metrics, say);
    if (slot === undefined) continue;
    // Results are kept by name, so a second one would overwrite the first.
    if (slots.some(({ name }) => name === slot.name))
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
