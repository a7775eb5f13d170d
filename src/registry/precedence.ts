import { join } from "node:path";
import type { Discovered, Discovery } from "./discovery.ts";
import { quote } from "./display.ts";
import { Entry } from "./entry.ts";
import type { RegistryKind } from "./kind.ts";
import type { Reference } from "./names.ts";
import { OWN_NAME } from "./own-package.ts";
import { importTarget } from "./target.ts";

/** Entries by each of their names and aliases. */
export type Claims<Component> = Map<string, Entry<Component>>;

/** Who answers for a name. */
export type Answer<Component> =
  | { readonly entry: Entry<Component> }
  | { readonly rivals: readonly Entry<Component>[] }
  | { readonly unmetPin: string };

/**
 * Who goes before whom. For a name answers, in this order: what is registered temporarily, what the program registered,
 * the package that a pin names, the built-in, the one package that declares it. Several packages are rivals.
 */
export class Precedence<Component> {
  /** Scopes of `temporarily`; the last one answers first. */
  readonly scopes: Claims<Component>[] = [];
  readonly program: Claims<Component> = new Map();
  readonly builtins: Claims<Component> = new Map();
  readonly #kind: RegistryKind<Component>;
  readonly #discovery: Discovery;
  #packages: { readonly found: Discovered; readonly entries: readonly Entry<Component>[] } | undefined;

  constructor(kind: RegistryKind<Component>, discovery: Discovery) {
    this.#kind = kind;
    this.#discovery = discovery;
    for (const [name, builtin] of Object.entries(kind.builtins)) {
      const entry = new Entry<Component>(
        { noun: kind.noun, name, ...builtin },
        { kind: "builtin", package: OWN_NAME },
        { import: () => builtin.load() },
      );
      for (const key of [name, ...entry.aliases]) this.builtins.set(key, entry);
    }
  }

  answer({ package: owner, name }: Reference): Answer<Component> | undefined {
    if (owner !== undefined) {
      const entry = this.#ownedBy(owner, name);
      return entry && { entry };
    }
    const scope = this.scopes.findLast((claims) => claims.has(name));
    const registered = scope?.get(name) ?? this.program.get(name);
    // Only now are manifests needed: a program that registers what it uses reads none.
    if (registered === undefined) {
      const pin = `${this.#kind.kind}/${name}`;
      const owner = this.#discovery.found.pins.get(pin);
      if (owner !== undefined) {
        const entry = this.#ownedBy(owner, name);
        const unmetPin = `The pin ${quote(pin)} names ${quote(owner)}, which gives no such ${this.#kind.noun} here.`;
        return entry ? { entry } : { unmetPin };
      }
    }
    const entry = registered ?? this.builtins.get(name);
    // An alias is another spelling of a name: whoever answers for the name answers for it too.
    if (entry !== undefined)
      return entry.name === name ? { entry } : this.answer({ package: undefined, name: entry.name });
    const rivals = this.packages().filter((claimant) => claimant.claims(name));
    const [first] = rivals;
    if (first === undefined) return undefined;
    return rivals.length === 1 ? { entry: first } : { rivals };
  }

  /** Whether an entry does not answer for its own name. One of several rivals is not shadowed: nothing covers it. */
  shadows(entry: Entry<Component>): boolean {
    const answer = this.answer({ package: undefined, name: entry.name });
    if (answer === undefined || "unmetPin" in answer) return true;
    return "entry" in answer && answer.entry !== entry;
  }

  /** Every entry once, those that go before first. */
  all(): Entry<Component>[] {
    const layers = [...this.scopes.toReversed(), this.program, this.builtins];
    return [...new Set(layers.flatMap((claims) => [...claims.values()])), ...this.packages()];
  }

  /** What packages declare of this kind. Kept as long as what was discovered stands, with what has been imported. */
  packages(): readonly Entry<Component>[] {
    const { found } = this.#discovery;
    if (this.#packages?.found === found) return this.#packages.entries;
    const { noun, group } = this.#kind;
    const entries = found.packages.flatMap(({ name: owner, version, directory, declarations }) =>
      declarations
        .filter((declaration) => declaration.group === group)
        .map(({ target, ...declaration }) => {
          const location = join(directory, "package.json");
          return new Entry<Component>(
            { noun, ...declaration },
            { kind: "entry-point", package: owner, version, target, location },
            { import: (attempt) => importTarget(directory, target, attempt) },
          );
        }),
    );
    this.#packages = { found, entries };
    return entries;
  }

  #ownedBy(owner: string, name: string): Entry<Component> | undefined {
    const builtin = owner === OWN_NAME ? this.builtins.get(name) : undefined;
    return builtin ?? this.packages().find((entry) => entry.package === owner && entry.claims(name));
  }
}
