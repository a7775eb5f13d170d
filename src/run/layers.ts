import { isRecord } from "./check-config.ts";
import { isSlot } from "./overrides.ts";
import { isPlain } from "./plain-json.ts";
import type { ConfigPath, Position } from "./problems.ts";

/** One file of a run, as it was written: the run file itself, or one that it extends. */
export interface Layer {
  readonly value: unknown;
  /** Absolute; undefined when a program gave the run instead of a file. */
  readonly path: string | undefined;
  /** The file's name in messages. */
  readonly label: string;
  /** The folder of the file, or the working directory. */
  readonly folder: string;
  /** Undefined for what is no text. */
  readonly locate: ((path: ConfigPath, side: "key" | "value") => Position) | undefined;
}

/** What layers come to, one over the other, and which of them gave what. */
export interface Merged {
  readonly value: unknown;
  readonly owner: Owner;
}

/** The layer that gave a value; where others gave parts of it, theirs by key. */
export interface Owner {
  readonly layer: Layer;
  readonly parts?: ReadonlyMap<string, Owner>;
}

/**
 * One over the other, by the rules of JSON Merge Patch (RFC 7396): a mapping merges key by key, `null` takes back what the
 * base says, and anything else (a list, too) stands in place of the base's.
 *
 * One rule is our own: a component of another `name` takes the place of the base's whole, since options belong to their
 * component. That holds wherever a mapping has a `name`, so for the optimizer inside a trainer, too.
 */
export function mergeOver(base: Merged, top: Merged, path: ConfigPath = []): Merged {
  const below = mappingAt(path, base.value);
  const own = mappingAt(path, top.value);
  if (below === undefined || own === undefined || isAnother(below, own)) return top;
  const merged: [string, Merged][] = [];
  for (const [key, value] of Object.entries(below)) {
    const part = partOf(base, key, value);
    if (!Object.hasOwn(own, key)) merged.push([key, part]);
    else if (own[key] !== null)
      merged.push([key, mergeOver(part, partOf(top, key, own[key]), [...path, key])]);
  }
  // A null that takes nothing back stays: it is a mistake here as it is in a file of its own.
  for (const [key, value] of Object.entries(own))
    if (!Object.hasOwn(below, key)) merged.push([key, partOf(top, key, value)]);
  return {
    value: Object.fromEntries(merged.map(([key, part]) => [key, part.value])),
    owner: { layer: top.owner.layer, parts: new Map(merged.map(([key, part]) => [key, part.owner])) },
  };
}

function partOf({ owner }: Merged, key: string, value: unknown): Merged {
  return { value, owner: owner.parts?.get(key) ?? { layer: owner.layer } };
}

/** A mapping that can be merged. In the place of a component its bare name is one; an object of a program is none. */
function mappingAt(path: ConfigPath, value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === "string" && isSlot(path)) return { name: value };
  if (!isRecord(value) || !isPlain(value)) return undefined;
  return Object.values(value).some((entry) => typeof entry === "function") ? undefined : value;
}

function isAnother({ name: below }: { name?: unknown }, { name: own }: { name?: unknown }): boolean {
  if (below === undefined || own === undefined) return false;
  const spelling = (name: unknown) => String(name).trim().toLowerCase();
  return spelling(below) !== spelling(own);
}

/** The layer that gave the value at `path`, or what it would stand in. */
export function ownerOf(owner: Owner, path: ConfigPath): Layer {
  let at = owner;
  for (const key of path) {
    const part = at.parts?.get(String(key));
    if (part === undefined) break;
    at = part;
  }
  return at.layer;
}
