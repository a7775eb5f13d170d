import { describeError, describeValue, quote } from "./display.ts";
import { normalizeName } from "./names.ts";
import { isRecord } from "./packages.ts";
import { closestNames } from "./suggest.ts";
import { parseTarget } from "./target.ts";

/** The groups of components that a `package.json` may declare. */
const GROUPS = [
  "codex_ml.tokenizers",
  "codex_ml.models",
  "codex_ml.metrics",
  "codex_ml.data_loaders",
  "codex_ml.trainers",
] as const;

/** One component that a package declares. Names are normalised. */
export interface Declaration {
  readonly group: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string | undefined;
  readonly target: string;
}

/** Which packages may be plugins: every direct dependency, those of a list, or none. */
export type PluginSelection = "auto" | readonly string[] | false;

/** What the field `codexMl` of a `package.json` says. */
export interface Manifest {
  readonly declarations: readonly Declaration[];
  /** `plugins`: in the root's manifest the selection, in any other a list of packages that it forwards. */
  readonly plugins: PluginSelection;
  /** `pins`: which package answers for a name, by `metrics/toy_metric`. Only the root's count. */
  readonly pins: ReadonlyMap<string, string>;
}

/** Told of each thing in a manifest that cannot be used; the rest of the manifest works on. */
export type Report = (message: string, about?: { readonly group: string; readonly name: string }) => void;

const ENTRY_KEYS = ["target", "aliases", "description"];

/** Reads the field `codexMl`. Never throws: what is broken is reported and left out. */
export function readManifest(field: unknown, report: Report): Manifest {
  const declarations: Declaration[] = [];
  if (field === undefined) return { declarations, plugins: "auto", pins: new Map() };
  if (!isRecord(field)) {
    report(`"codexMl" is an object of groups, not ${describeValue(field)}`);
    return { declarations, plugins: "auto", pins: new Map() };
  }
  for (const [group, entries] of Object.entries(field)) {
    if (group === "plugins" || group === "pins") continue;
    if (!(GROUPS as readonly string[]).includes(group)) {
      const [closest] = closestNames(group, [...GROUPS, "plugins", "pins"]);
      const meant =
        closest === undefined ? `the groups are ${GROUPS.join(", ")}` : `did you mean ${quote(closest)}?`;
      report(`"codexMl" has an unknown key ${quote(group)}; ${meant}`);
    } else if (isRecord(entries)) declarations.push(...readGroup(group, entries, report));
    else report(`${quote(group)} is an object of names and targets, not ${describeValue(entries)}`);
  }
  return { declarations, plugins: readPlugins(field.plugins, report), pins: readPins(field.pins, report) };
}

function readGroup(group: string, entries: Readonly<Record<string, unknown>>, report: Report): Declaration[] {
  const declarations: Declaration[] = [];
  const taken = new Set<string>();
  for (const [name, entry] of Object.entries(entries)) {
    const about = { group, name };
    try {
      const declaration = readEntry(group, name, entry);
      const keys = [declaration.name, ...declaration.aliases];
      const twice = keys.find((key) => taken.has(key));
      // All or nothing: half an entry, without the alias that somebody uses, would be a silent change.
      if (twice !== undefined)
        throw new Error(`${quote(twice)} is declared twice; this second declaration is left out`);
      for (const key of keys) taken.add(key);
      declarations.push(declaration);
    } catch (error) {
      report(`${group}, ${quote(name)}: ${describeError(error)}`, about);
    }
  }
  return declarations;
}

function readEntry(group: string, name: string, entry: unknown): Declaration {
  const { target, aliases = [], description, ...unknown } = isRecord(entry) ? entry : { target: entry };
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) {
    const [closest] = closestNames(stray, ENTRY_KEYS);
    throw new Error(
      `unknown key ${quote(stray)}; ${closest === undefined ? `known are ${ENTRY_KEYS.join(", ")}` : `did you mean ${quote(closest)}?`}`,
    );
  }
  if (typeof target !== "string")
    throw new Error(`a target is a string such as "./metric#build", not ${describeValue(target)}`);
  parseTarget(target);
  if (!Array.isArray(aliases))
    throw new Error(`"aliases" is an array of names, not ${describeValue(aliases)}`);
  if (description !== undefined && typeof description !== "string")
    throw new Error(`"description" is a string, not ${describeValue(description)}`);
  const key = normalizeName(name);
  const others = new Set(aliases.map(normalizeName));
  others.delete(key);
  return { group, name: key, aliases: [...others], description, target };
}

function readPlugins(plugins: unknown, report: Report): PluginSelection {
  if (plugins === undefined || plugins === "auto") return "auto";
  if (plugins === false) return false;
  if (Array.isArray(plugins) && plugins.every((name) => typeof name === "string")) return plugins;
  // What was meant to narrow must not widen because of a mistake in it.
  report(
    `"plugins" is "auto", false or an array of package names, not ${describeValue(plugins)}; no plugin is used`,
  );
  return false;
}

function readPins(pins: unknown, report: Report): ReadonlyMap<string, string> {
  const read = new Map<string, string>();
  if (pins === undefined) return read;
  if (!isRecord(pins)) report(`"pins" is an object, not ${describeValue(pins)}`);
  else
    for (const [key, owner] of Object.entries(pins)) {
      try {
        read.set(normalizePin(key), readPinned(owner));
      } catch (error) {
        report(`the pin ${quote(key)}: ${describeError(error)}`);
      }
    }
  return read;
}

function readPinned(owner: unknown): string {
  if (typeof owner !== "string")
    throw new Error(`a pin gives the name of a package, not ${describeValue(owner)}`);
  return owner;
}

/** The one spelling of a pin's key, `kind/name`. @throws when it does not read so. */
export function normalizePin(key: string): string {
  const slash = key.indexOf("/");
  const kinds = GROUPS.map((group) => group.slice("codex_ml.".length));
  const kind = key.slice(0, Math.max(slash, 0));
  if (!kinds.includes(kind))
    throw new Error(`a pin reads "kind/name", where the kind is one of ${kinds.join(", ")}`);
  return `${kind}/${normalizeName(key.slice(slash + 1))}`;
}
