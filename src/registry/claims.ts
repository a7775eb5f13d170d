import { type Discovered, type Discovery, importTarget, OWN_NAME, quote } from "../packages/index.ts";
import type { RegistryKind } from "./component.ts";
import { Entry } from "./entry.ts";

/** Entries by each of their names and aliases. */
export type ByName<Component> = Map<string, Entry<Component>>;

/** What manifests say of one kind, by name. */
interface Declared<Component> {
  readonly found: Discovered;
  /** Several packages may declare one name. */
  readonly entries: ReadonlyMap<string, readonly Entry<Component>[]>;
  /** The package that a pin gives the name to. */
  readonly pins: ReadonlyMap<string, string>;
}

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
  layers: readonly ByName<Component>[] = [this.program];
  readonly #kind: RegistryKind<Component>;
  readonly #discovery: Discovery;
  #declared: Declared<Component> | undefined;

  constructor(kind: RegistryKind<Component>, discovery: Discovery) {
    this.#kind = kind;
    this.#discovery = discovery;
    for (const [name, builtin] of Object.entries(kind.builtins)) {
      const source = { import: () => builtin.load() };
      const origin = { kind: "builtin", package: OWN_NAME } as const;
      const entry = new Entry(kind, { name, ...builtin }, origin, source);
      for (const key of [name, ...entry.aliases]) this.builtins.set(key, entry);
    }
  }

  answer(name: string, owner?: string): Answer<Component> {
    if (owner !== undefined) return { claimants: this.#ownedBy(owner, name) };
    const registered = this.layers.findLast((layer) => layer.has(name))?.get(name);
    // A program that registers what it uses reads no manifests.
    const pinned = registered === undefined ? this.declared.pins.get(name) : undefined;
    if (pinned !== undefined) {
      const claimants = this.#ownedBy(pinned, name);
      if (claimants.length > 0) return { claimants };
      const problem = `names ${quote(pinned)}, which gives no such ${this.#kind.noun} here`;
      return { claimants, unmetPin: `The pin ${quote(`${this.#kind.kind}/${name}`)} ${problem}.` };
    }
    const entry = registered ?? this.builtins.get(name);
    if (entry === undefined) return { claimants: this.declared.entries.get(name) ?? [] };
    // An alias is another spelling of a name: whoever answers for the name answers for it too.
    return entry.name === name ? { claimants: [entry] } : this.answer(entry.name);
  }

  /** Every entry once, those that go before first. */
  all(): Entry<Component>[] {
    const own = [...this.layers.toReversed(), this.builtins].flatMap((entries) => [...entries.values()]);
    return [...new Set([...own, ...[...this.declared.entries.values()].flat()])];
  }

  /** Kept, with what has been imported, as long as what was found stands. */
  get declared(): Declared<Component> {
    const { found } = this.#discovery;
    if (this.#declared?.found !== found) this.#declared = this.#declaredIn(found);
    return this.#declared;
  }

  #declaredIn(found: Discovered): Declared<Component> {
    const entries = new Map<string, Entry<Component>[]>();
    for (const { name: owner, version, directory, location, declarations } of found.packages)
      for (const { target, ...declaration } of declarations) {
        if (declaration.group !== this.#kind.group) continue;
        const origin = { kind: "entry-point", package: owner, version, target, location } as const;
        const source = { import: (attempt: number) => importTarget(directory, target, attempt) };
        const entry = new Entry(this.#kind, declaration, origin, source);
        for (const key of [entry.name, ...entry.aliases])
          entries.set(key, [...(entries.get(key) ?? []), entry]);
      }
    const pins = new Map<string, string>();
    for (const [pin, owner] of found.pins) {
      const [kind, name = ""] = pin.split("/");
      if (kind === this.#kind.kind) pins.set(name, owner);
    }
    return { found, entries, pins };
  }

  #ownedBy(owner: string, name: string): readonly Entry<Component>[] {
    const builtin = owner === OWN_NAME ? this.builtins.get(name) : undefined;
    if (builtin !== undefined) return [builtin];
    return (this.declared.entries.get(name) ?? []).filter((entry) => entry.package === owner);
  }
}
