import { buildComponent } from "./build.ts";
import type { ComponentContext, Factory } from "./component.ts";
import { Discovery, type DiscoveryOptions, type PluginProblem } from "./discovery.ts";
import { Entry, isFactory } from "./entry.ts";
import { type RegistryConflictError, RegistryFactoryTypeError, RegistryNameError } from "./errors.ts";
import { conflictError, notFoundError } from "./explain.ts";
import type { RegistryEntry, RegistryKind } from "./kind.ts";
import { normalizeName, parseReference } from "./names.ts";
import { callerLocation } from "./origin.ts";
import { isRecord } from "./packages.ts";
import { type Claims, Precedence } from "./precedence.ts";
import { checkRegisterOptions, type Register, type RegisterOptions } from "./register.ts";

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
  readonly #precedence: Precedence<Component>;

  constructor(kind: RegistryKind<Component>, discovery: Discovery) {
    this.kind = kind;
    this.discovery = discovery;
    this.#precedence = new Precedence(kind, discovery);
    const register = (name: string, ...rest: readonly unknown[]): unknown => {
      const location = callerLocation(register);
      const key = normalizeName(name);
      const add = (factory: unknown, options: unknown): unknown => {
        if (!isFactory<Component>(factory)) throw new RegistryFactoryTypeError(kind.noun, key, factory);
        this.#add(key, factory, checkRegisterOptions(key, options), location);
        return factory;
      };
      const [first, second] = rest;
      // `register(name, undefined)` is a factory that failed to arrive, not the curried form.
      const isCurried = rest.length === 0 || (rest.length === 1 && isRecord(first) && !isFactory(first));
      if (!isCurried) return add(first, second);
      checkRegisterOptions(key, first);
      return (factory: unknown) => add(factory, first);
    };
    this.register = register as Register<Component>;
  }

  /** The factory of `name`, imported if need be. Rejects with a `RegistryError`. */
  async get(name: string): Promise<Factory<Component>> {
    return this.#find(name).factory();
  }

  /** Imports if need be, validates the options, builds, and checks the contract. Rejects with a `RegistryError`. */
  async create(
    name: string,
    options?: unknown,
    context: ComponentContext = { directory: process.cwd() },
  ): Promise<Component> {
    return buildComponent(this.#find(name), this.kind.check, options, context);
  }

  /** Whether somebody claims the name, alias or `package/name`. False for what cannot be a name. */
  has(name: string): boolean {
    try {
      return this.#precedence.answer(parseReference(name)) !== undefined;
    } catch (error) {
      if (error instanceof RegistryNameError) return false;
      throw error;
    }
  }

  /** All names, sorted, without aliases. */
  list(): string[] {
    return [...new Set(this.#precedence.all().map((entry) => entry.name))].sort();
  }

  /** All registrations with their origins, shadowed ones too, sorted by name; of one name, who goes before is first. */
  entries(): RegistryEntry[] {
    const entries = this.#precedence.all().map((entry) => this.#describe(entry));
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** The registration that answers for `name`. Throws what `get` would. */
  inspect(name: string): RegistryEntry {
    return this.#describe(this.#find(name));
  }

  /** What keeps packages or components of this kind from working; conflicts and pins that cannot be met are among it. */
  problems(): PluginProblem[] {
    const { group, kind } = this.kind;
    const { problems, pins } = this.discovery.found;
    const ours = problems.filter(
      ({ components }) =>
        components === undefined || components.some((component) => component.group === group),
    );
    const names = new Set(this.#precedence.packages().flatMap(({ name, aliases }) => [name, ...aliases]));
    for (const key of pins.keys()) if (key.startsWith(`${kind}/`)) names.add(key.slice(kind.length + 1));
    for (const name of [...names].sort()) {
      const answer = this.#precedence.answer({ package: undefined, name });
      if (answer === undefined || "entry" in answer) continue;
      const message = "rivals" in answer ? this.#conflict(name, answer.rivals).message : answer.unmetPin;
      const about = { package: undefined, version: undefined, location: undefined };
      ours.push({ ...about, message, components: [{ group, name }] });
    }
    return ours;
  }

  /** Takes back what the program registered under `name`, with its aliases. False when there was nothing. */
  unregister(name: string): boolean {
    const { program } = this.#precedence;
    const entry = program.get(normalizeName(name));
    if (entry === undefined) return false;
    for (const [key, holder] of program) if (holder === entry) program.delete(key);
    return true;
  }

  /**
   * Registers for a while: what answered for the names before answers again after disposal, in any order of disposals.
   *
   * @example using scope = metricRegistry.temporarily({ perplexity: () => constantMetric });
   */
  temporarily(factories: Readonly<Record<string, Factory<Component>>>): Disposable {
    const location = callerLocation(this.temporarily);
    const { scopes } = this.#precedence;
    const scope: Claims<Component> = new Map();
    for (const [given, ready] of Object.entries(factories)) {
      const name = normalizeName(given);
      if (!isFactory<Component>(ready)) throw new RegistryFactoryTypeError(this.kind.noun, name, ready);
      const entry = new Entry({ noun: this.kind.noun, name }, { kind: "temporary", location }, { ready });
      const rival = scope.get(name);
      if (rival !== undefined) throw this.#conflict(name, [rival, entry]);
      scope.set(name, entry);
    }
    scopes.push(scope);
    return {
      [Symbol.dispose]: () => {
        const index = scopes.indexOf(scope);
        if (index !== -1) scopes.splice(index, 1);
      },
    };
  }

  /** Forgets what the manifests said, so that a package installed meanwhile is found. Registries of one set share this. */
  refresh(): void {
    this.discovery.refresh();
  }

  #add(
    name: string,
    ready: Factory<Component>,
    options: RegisterOptions,
    location: string | undefined,
  ): void {
    const { program, builtins } = this.#precedence;
    const aliases = new Set((options.aliases ?? []).map(normalizeName));
    aliases.delete(name);
    const keys = [name, ...aliases];
    const details = { noun: this.kind.noun, name, aliases, description: options.description };
    // All names are looked at before the first is taken.
    for (const key of keys) {
      const rival = program.get(key) ?? builtins.get(key);
      if (rival === undefined || options.override === true) continue;
      throw this.#conflict(key, [rival, new Entry(details, { kind: "program", location }, { ready })]);
    }
    const replaced = program.get(name) ?? builtins.get(name);
    if (program.get(name)?.name === name) this.unregister(name);
    const memory = replaced && { replaced: replaced.origin(true) };
    const entry = new Entry(details, { kind: "program", location, ...memory }, { ready });
    for (const key of keys) {
      program.get(key)?.aliases.delete(key);
      program.set(key, entry);
    }
  }

  /** The entry that answers, or the error that says why none does. */
  #find(name: string): Entry<Component> {
    const reference = parseReference(name);
    const answer = this.#precedence.answer(reference);
    if (answer !== undefined && "entry" in answer) return answer.entry;
    if (answer !== undefined && "rivals" in answer) throw this.#conflict(reference.name, answer.rivals);
    throw notFoundError(this.kind, reference, this.entries(), this.discovery.found, answer?.unmetPin);
  }

  #describe(entry: Entry<Component>): RegistryEntry {
    const { name, aliases, description } = entry;
    const qualifiedName = entry.package === undefined ? undefined : `${entry.package}/${name}`;
    const origin = entry.origin(this.#precedence.shadows(entry));
    return { name, qualifiedName, aliases: [...aliases], description, origin };
  }

  #conflict(name: string, rivals: readonly Entry<Component>[]): RegistryConflictError {
    const origins = rivals.map((rival) => rival.origin(false));
    return conflictError(this.kind, name, origins);
  }
}

/** A registry by itself, apart from the process-wide one of its kind. Pass a `Discovery` to share what was found. */
export function createRegistry<Component>(
  kind: RegistryKind<Component>,
  source: Discovery | DiscoveryOptions = {},
): Registry<Component> {
  return new Registry(kind, source instanceof Discovery ? source : new Discovery(source));
}
