import {
  Discovery,
  type DiscoveryOptions,
  normalizeName,
  type PluginProblem,
  parseReference,
  RegistryNameError,
} from "../packages/index.ts";
import { type ByName, Claims } from "./claims.ts";
import type { ComponentContext, Factory, RegistryKind } from "./component.ts";
import { Entry } from "./entry.ts";
import { RegistryConflictError } from "./errors.ts";
import { RegistryNotFoundError } from "./not-found.ts";
import { callerLocation, type Origin } from "./origin.ts";
import { type Register, type RegisterOptions, registerBy } from "./register.ts";

/** What a registry tells of one registration. */
export interface RegistryEntry {
  readonly name: string;
  /** `package/name`: means this one and no other, whoever else claims the name. */
  readonly qualifiedName: string | undefined;
  readonly aliases: readonly string[];
  readonly description: string | undefined;
  readonly origin: Origin;
}

/**
 * Names of one kind of component, and what builds them.
 *
 * `get` and `create` are asynchronous, because importing is. Everything else is synchronous and imports nothing.
 */
export class Registry<Component> {
  readonly kind: RegistryKind<Component>;
  readonly discovery: Discovery;
  /** Registers a component under a name; bound, so that it can be passed around. See {@link Register} for its forms. */
  readonly register: Register<Component>;
  readonly #claims: Claims<Component>;

  constructor(kind: RegistryKind<Component>, discovery: Discovery) {
    this.kind = kind;
    this.discovery = discovery;
    this.#claims = new Claims(kind, discovery);
    this.register = registerBy(this.#add.bind(this));
  }

  /** The factory of `name`, imported if need be. Rejects with a `RegistryError`. */
  get(name: string): Promise<Factory<Component>> {
    // Not an async function: the promise that an entry keeps of its factory is given as it is, which halves a lookup.
    try {
      return this.#find(name).factory();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Imports if need be, validates the options, builds, and checks the contract. Rejects with a `RegistryError`. */
  async create(
    name: string,
    options?: unknown,
    context: ComponentContext = { directory: process.cwd() },
  ): Promise<Component> {
    return this.#find(name).create(options, context);
  }

  /** Whether somebody claims the name, alias or `package/name`. False for what cannot be a name. */
  has(name: string): boolean {
    try {
      return this.#claims.answer(...parseReference(name)).claimants.length > 0;
    } catch (error) {
      if (error instanceof RegistryNameError) return false;
      throw error;
    }
  }

  /** All names, sorted, without aliases. */
  list(): string[] {
    return [...new Set(this.#claims.all().map((entry) => entry.name))].sort();
  }

  /** All registrations with their origins, shadowed ones too, sorted by name; of one name, who goes before is first. */
  entries(): RegistryEntry[] {
    const entries = this.#claims.all().map((entry) => this.#describe(entry));
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** The registration that answers for `name`. Throws what `get` would. */
  inspect(name: string): RegistryEntry {
    return this.#describe(this.#find(name));
  }

  /** What keeps packages or components of this kind from working; conflicts and pins that cannot be met are among it. */
  problems(): PluginProblem[] {
    const { group } = this.kind;
    const { found, entries, pins } = this.#claims.declared;
    const ours = found.problems.filter(
      ({ components }) => components === undefined || components.some((one) => one.group === group),
    );
    for (const name of [...new Set([...entries.keys(), ...pins.keys()])].sort()) {
      const { claimants, unmetPin } = this.#claims.answer(name);
      const conflict =
        claimants.length > 1 ? new RegistryConflictError(this.kind, name, claimants) : undefined;
      const message = conflict?.message ?? unmetPin;
      const about = { package: undefined, version: undefined, location: undefined };
      if (message === undefined) continue;
      const code = conflict === undefined ? "PIN_UNMET" : "NAME_CONFLICT";
      ours.push({ code, ...about, message, components: [{ group, name }] });
    }
    return ours;
  }

  /** Takes back what the program registered under `name`, with its aliases. False when there was nothing. */
  unregister(name: string): boolean {
    const { program } = this.#claims;
    const entry = program.get(normalizeName(name));
    for (const [key, holder] of program) if (holder === entry) program.delete(key);
    return entry !== undefined;
  }

  /**
   * Registers for a while: what answered for the names before answers again after disposal, in any order of disposals.
   *
   * @example using scope = metricRegistry.temporarily({ perplexity: () => constantMetric });
   */
  temporarily(factories: Readonly<Record<string, Factory<Component>>>): Disposable {
    const origin = { kind: "temporary", location: callerLocation(this.temporarily) } as const;
    const claims = this.#claims;
    const scope: ByName<Component> = new Map();
    for (const [given, factory] of Object.entries(factories)) {
      const name = normalizeName(given);
      const entry = new Entry(this.kind, { name }, origin, { factory });
      const rival = scope.get(name);
      if (rival !== undefined) throw new RegistryConflictError(this.kind, name, [rival, entry]);
      scope.set(name, entry);
    }
    claims.layers = [...claims.layers, scope];
    return {
      [Symbol.dispose]: () => {
        claims.layers = claims.layers.filter((layer) => layer !== scope);
      },
    };
  }

  /** Forgets what the manifests said, so that a package installed meanwhile is found. Registries of one set share this. */
  refresh(): void {
    this.discovery.refresh();
  }

  #add(name: string, factory: unknown, options: RegisterOptions, location: string | undefined): void {
    const { program, builtins } = this.#claims;
    const { override = false, description } = options;
    const aliases = new Set(options.aliases?.map(normalizeName));
    aliases.delete(name);
    const keys = [name, ...aliases];
    const replaced = override ? (program.get(name) ?? builtins.get(name))?.origin : undefined;
    const origin = { kind: "program", location, ...(replaced && { replaced }) } as const;
    const entry = new Entry(this.kind, { name, aliases, description }, origin, { factory });
    // All names are looked at before the first is taken.
    for (const key of keys) {
      const rival = program.get(key) ?? builtins.get(key);
      if (rival !== undefined && !override) throw new RegistryConflictError(this.kind, key, [rival, entry]);
    }
    if (program.get(name)?.name === name) this.unregister(name);
    for (const key of keys) {
      program.get(key)?.aliases.delete(key);
      program.set(key, entry);
    }
  }

  /** The entry that answers, or the error that says why none does. */
  #find(name: string): Entry<Component> {
    const reference = parseReference(name);
    const { claimants, unmetPin } = this.#claims.answer(...reference);
    const [entry, rival] = claimants;
    if (rival !== undefined) throw new RegistryConflictError(this.kind, reference[0], claimants);
    if (entry !== undefined) return entry;
    throw new RegistryNotFoundError(this.kind, reference, this.#claims.all(), this.discovery.found, unmetPin);
  }

  #describe(entry: Entry<Component>): RegistryEntry {
    const { name, aliases, description, origin } = entry;
    const { claimants } = this.#claims.answer(name);
    const isShadowed = origin.status !== "failed" && !claimants.includes(entry);
    return {
      name,
      qualifiedName: origin.package === undefined ? undefined : `${origin.package}/${name}`,
      aliases: [...aliases],
      description,
      origin: isShadowed ? { ...origin, status: "shadowed" } : origin,
    };
  }
}

/** A registry by itself, apart from the process-wide one of its kind. Pass a `Discovery` to share what was found. */
export function createRegistry<Component>(
  kind: RegistryKind<Component>,
  source: Discovery | DiscoveryOptions = {},
): Registry<Component> {
  return new Registry(kind, source instanceof Discovery ? source : new Discovery(source));
}
