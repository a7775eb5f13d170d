import { type Discovered, type Discovery, importTarget, OWN_NAME, quote } from "../packages/index.ts";
import type { RegistryKind } from "./component.ts";
import { Entry } from "./entry.ts";

/** Entries by each of their names and aliases. */
export type ByName<Component> = Map<string, Entry<Component>>;

/** What packages declare, which may be several under one name. */
type Declared<Component> = ReadonlyMap<string, readonly Entry<Component>[]>;

/** Who answers for a name: one entry, several rivals, or nobody. */
export interface Answer<Component> {
  readonly claimants: readonly Entry<Component>[];
  /** Why nobody does, when a pin gives the name to a package that does not have it. */
  readonly unmetPin?: string;
}

/**
 * Who claims which names, and who goes before whom. For a name answers, in this order: what is registered temporarily,
 * what the program registered, the package that a pin names, the built-in, the packages that declare it.
 */
export class Claims<Component> {
  readonly builtins: ByName<Component> = new Map();
  readonly program: ByName<Component> = new Map();
  /** What is registered at run time: by the program, then by each scope of `temporarily`. The last answers first. */
  readonly layers: ByName<Component>[] = [this.program];
  readonly #kind: RegistryKind<Component>;
  readonly #discovery: Discovery;
  #declared: { readonly by: Discovered; readonly claims: Declared<Component> } | undefined;

  constructor(kind: RegistryKind<Component>, discovery: Discovery) {
    this.#kind = kind;
    this.#discovery = discovery;
    for (const [name, builtin] of Object.entries(kind.builtins)) {
      const source = { import: () => builtin.load() };
      const origin = { kind: "builtin", package: OWN_NAME } as const;
      const entry = new Entry<Component>({ noun: kind.noun, name, ...builtin }, origin, source);
      for (const key of [name, ...entry.aliases]) this.builtins.set(key, entry);
    }
  }

  answer(name: string, owner?: string): Answer<Component> {
    if (owner !== undefined) return { claimants: this.#ownedBy(owner, name) };
    let entry = this.layers.findLast((layer) => layer.has(name))?.get(name);
    // Only now are manifests needed: a program that registers what it uses reads none.
    if (entry === undefined) {
      const pin = `${this.#kind.kind}/${name}`;
      const pinned = this.#discovery.found.pins.get(pin);
      if (pinned !== undefined) {
        const claimants = this.#ownedBy(pinned, name);
        if (claimants.length > 0) return { claimants };
        const problem = `names ${quote(pinned)}, which gives no such ${this.#kind.noun} here`;
        return { claimants, unmetPin: `The pin ${quote(pin)} ${problem}.` };
      }
      entry = this.builtins.get(name);
    }
    if (entry === undefined) return { claimants: this.declared().get(name) ?? [] };
    // An alias is another spelling of a name: whoever answers for the name answers for it too.
    return entry.name === name ? { claimants: [entry] } : this.answer(entry.name);
  }

  /** Every entry once, those that go before first. */
  all(): Entry<Component>[] {
    const own = [...this.layers.toReversed(), this.builtins].flatMap((entries) => [...entries.values()]);
    return [...new Set([...own, ...[...this.declared().values()].flat()])];
  }

  /** What packages declare of this kind. Kept, with what has been imported, as long as what was found stands. */
  declared(): Declared<Component> {
    const { found } = this.#discovery;
    if (this.#declared?.by !== found) this.#declared = { by: found, claims: this.#declaredIn(found) };
    return this.#declared.claims;
  }

  #declaredIn({ packages }: Discovered): Declared<Component> {
    const { noun, group } = this.#kind;
    const claims = new Map<string, Entry<Component>[]>();
    for (const { name: owner, version, directory, location, declarations } of packages)
      for (const { target, ...declaration } of declarations) {
        if (declaration.group !== group) continue;
        const origin = { kind: "entry-point", package: owner, version, target, location } as const;
        const source = { import: (attempt: number) => importTarget(directory, target, attempt) };
        const entry = new Entry<Component>({ noun, ...declaration }, origin, source);
        for (const key of [entry.name, ...entry.aliases])
          claims.set(key, [...(claims.get(key) ?? []), entry]);
      }
    return claims;
  }

  #ownedBy(owner: string, name: string): readonly Entry<Component>[] {
    const builtin = owner === OWN_NAME ? this.builtins.get(name) : undefined;
    if (builtin !== undefined) return [builtin];
    const claimants = this.declared().get(name) ?? [];
    return claimants.filter((entry) => entry.package === owner);
  }
}
