import { describeError, describeValue, quote } from "./display.ts";
import { normalizeName } from "./names.ts";
import { isRecord, parseTarget } from "./packages.ts";
import { unknownKey } from "./suggest.ts";

/** The kinds of components that a `package.json` may declare, each under the group `codex_ml.<kind>`. */
const KINDS = ["tokenizers", "models", "metrics", "data_loaders", "trainers"];
const KEYS = [...KINDS.map((kind) => `codex_ml.${kind}`), "plugins", "pins"];

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
  /** In the root's manifest the selection, in any other a list of packages that it forwards. */
  readonly plugins: PluginSelection;
  /** Which package answers for a name, by `metrics/toy_metric`. Only the root's count. */
  readonly pins: ReadonlyMap<string, string>;
}

/** Told of each thing in a manifest that cannot be used, and of the component that this concerns if it is one. */
export type Report = (message: string, component?: { readonly group: string; readonly name: string }) => void;

/** Reads the field `codexMl`. Never throws: what is broken is reported and left out. */
export function readManifest(field: unknown, report: Report): Manifest {
  const declarations: Declaration[] = [];
  const pins = new Map<string, string>();
  const taken = new Set<string>();
  const attempt = (where: string, read: () => void, component?: Parameters<Report>[1]): void => {
    try {
      read();
    } catch (error) {
      report(where + describeError(error), component);
    }
  };
  const { plugins, pins: pinned = {}, ...groups } = isRecord(field) ? field : {};
  attempt("", () => {
    expect(field === undefined || isRecord(field), '"codexMl" is an object of groups', field);
    expect(isRecord(pinned), '"pins" is an object of names and packages', pinned);
    for (const [key, owner] of Object.entries(pinned))
      attempt(`the pin ${quote(key)}: `, () => {
        expect(typeof owner === "string", "a pin gives the name of a package", owner);
        pins.set(normalizePin(key), owner);
      });
  });
  for (const [group, entries] of Object.entries(groups))
    attempt("", () => {
      const stray = unknownKey([group], KEYS);
      if (stray !== undefined) throw new Error(`"codexMl" has an ${stray}`);
      expect(isRecord(entries), `${quote(group)} is an object of names and targets`, entries);
      for (const [name, entry] of Object.entries(entries)) {
        const read = () => declarations.push(readDeclaration(group, name, entry, taken));
        attempt(`${group}, ${quote(name)}: `, read, { group, name });
      }
    });
  return { declarations, plugins: readPlugins(plugins, report), pins };
}

function readDeclaration(group: string, given: string, entry: unknown, taken: Set<string>): Declaration {
  const { target, aliases = [], description, ...rest } = isRecord(entry) ? entry : { target: entry };
  const stray = unknownKey(Object.keys(rest), ["target", "aliases", "description"]);
  if (stray !== undefined) throw new Error(stray);
  expect(typeof target === "string", 'a target is a string such as "./metric#build"', target);
  expect(Array.isArray(aliases), '"aliases" is an array of names', aliases);
  if (description !== undefined)
    expect(typeof description === "string", '"description" is a string', description);
  parseTarget(target);
  const name = normalizeName(given);
  const others = new Set(aliases.map(normalizeName));
  others.delete(name);
  // All or nothing: half an entry, without the alias that somebody uses, would be a silent change.
  const keys = [name, ...others];
  const twice = keys.find((key) => taken.has(`${group}/${key}`));
  if (twice !== undefined)
    throw new Error(`${quote(twice)} is declared twice; this second declaration is left out`);
  for (const key of keys) taken.add(`${group}/${key}`);
  // It is printed in tables: one line, and nothing that a terminal would obey.
  const line = description?.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return { group, name, aliases: [...others], description: line, target };
}

function readPlugins(plugins: unknown, report: Report): PluginSelection {
  if (plugins === undefined || plugins === "auto") return "auto";
  if (plugins === false) return false;
  if (Array.isArray(plugins) && plugins.every((name) => typeof name === "string")) return plugins;
  // What was meant to narrow must not widen because of a mistake in it.
  const rule = '"plugins" is "auto", false or an array of package names';
  report(`${rule}, not ${describeValue(plugins)}; no plugin is used`);
  return false;
}

function expect(holds: boolean, rule: string, value: unknown): asserts holds {
  if (!holds) throw new Error(`${rule}, not ${describeValue(value)}`);
}

/** The one spelling of a pin's key, `kind/name`. @throws when it does not read so. */
export function normalizePin(key: string): string {
  const [, kind, name] = /^([^/]*)\/(.*)$/s.exec(key) ?? [];
  if (kind !== undefined && KINDS.includes(kind)) return `${kind}/${normalizeName(name)}`;
  throw new Error(`a pin reads "kind/name", where the kind is one of ${KINDS.join(", ")}`);
}
