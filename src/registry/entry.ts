import { describeValue, ownVersion, quote, RegistryError } from "../packages/index.ts";
import type { ComponentContext, Factory, FactoryClass, FactoryFunction, RegistryKind } from "./component.ts";
import {
  InvalidOptionError,
  RegistryContractError,
  RegistryFactoryError,
  RegistryLoadError,
  RegistryOptionsError,
} from "./errors.ts";
import { acceptOptions } from "./options.ts";
import type { Origin, Subject } from "./origin.ts";

type KnownOrigin = Pick<Origin, "kind"> & Partial<Origin>;
type Details = { name: string; aliases?: Iterable<string>; description?: string | undefined };

/** One registration: a name, where it came from, and its factory once somebody has asked for it. */
export class Entry<Component> implements Subject {
  readonly name: string;
  /** Shrinks when another registration takes one over. */
  readonly aliases: Set<string>;
  readonly description: string | undefined;
  readonly #kind: RegistryKind<Component>;
  readonly #origin: KnownOrigin;
  readonly #import: (attempt: number) => Promise<unknown>;
  #factory: Factory<Component> | undefined;
  #loading: Promise<Factory<Component>> | undefined;
  #importing: Promise<unknown> | undefined;
  #error: Error | undefined;
  #attempts = 0;

  /** @throws {RegistryError} the factory at hand cannot build anything. */
  constructor(
    kind: RegistryKind<Component>,
    { name, aliases, description }: Details,
    origin: KnownOrigin,
    source: { readonly factory: unknown } | { readonly import: (attempt: number) => Promise<unknown> },
  ) {
    this.#kind = kind;
    this.name = name;
    this.aliases = new Set(aliases);
    this.#origin = origin;
    this.#import = "import" in source ? source.import : async () => source.factory;
    if ("factory" in source) this.#factory = this.#accept(source.factory);
    const described = typeof this.#factory === "object" ? this.#factory.description : undefined;
    this.description = description ?? described;
  }

  get noun(): string {
    return this.#kind.noun;
  }

  get package(): string | undefined {
    return this.#origin.package;
  }

  /** Where it came from and how it stands by itself: whether something shadows it only its registry knows. */
  get origin(): Origin {
    const loaded = this.#factory === undefined ? "declared" : "loaded";
    return {
      package: undefined,
      // Ours is read only when somebody asks: a process that builds nothing reads no file.
      version: this.#origin.kind === "builtin" ? ownVersion() : undefined,
      target: undefined,
      location: undefined,
      ...this.#origin,
      status: this.#error === undefined ? loaded : "failed",
      error: this.#error,
    };
  }

  /** Imports it if need be. Concurrent calls share one import, its result is kept, and a failed one may be tried again. */
  factory(): Promise<Factory<Component>> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<Factory<Component>> {
    try {
      this.#factory ??= this.#accept(await this.#imported());
      this.#error = undefined;
      return this.#factory;
    } catch (cause) {
      this.#loading = undefined;
      this.#error = new RegistryLoadError(this, cause);
      throw this.#error;
    }
  }

  /** What the import gives. One that takes too long goes on, and whoever asks again waits for that same one. */
  #imported(): Promise<unknown> {
    this.#importing ??= (async () => this.#import(this.#attempts++))().finally(() => {
      this.#importing = undefined;
    });
    return inTime(this.#importing);
  }

  #accept(value: unknown): Factory<Component> {
    if (isFactory<Component>(value)) return value;
    const problem = `${this.noun} ${quote(this.name)}: ${describeValue(value)} is no factory`;
    const rule = "A factory is a function, a class, or an object with `create(options, context)`.";
    throw new RegistryError("REGISTRY_FACTORY_TYPE", `${problem}. ${rule}`);
  }

  /**
   * Builds a component: validates the options, calls the factory, and holds what it returned against the contract.
   * The errors tell whose fault it is: that of the import, the options, the factory, or what it returned.
   */
  async create(options: unknown, context: ComponentContext): Promise<Component> {
    const factory = await this.factory();
    const blameFactory = (cause: unknown): never => {
      throw new RegistryFactoryError(this, cause);
    };
    const { value, issues } = await acceptOptions(factory, options ?? {}).catch(blameFactory);
    if (issues !== undefined) throw new RegistryOptionsError(this, issues);
    let component: Component;
    let expected: string | undefined;
    try {
      component = await construct(factory, value, context);
      expected = this.#kind.check(component);
    } catch (cause) {
      if (!InvalidOptionError.is(cause)) return blameFactory(cause);
      throw new RegistryOptionsError(this, [{ path: cause.path, message: cause.message }], { cause });
    }
    if (expected === undefined) return component;
    throw new RegistryContractError(this, component, expected);
  }
}

const IMPORT_TIMEOUT = 30;

/** Rejects when an import does not settle: a module may wait at its top level for what never comes. */
function inTime(importing: Promise<unknown>): Promise<unknown> {
  const wished = Number(process.env.CODEX_ML_IMPORT_TIMEOUT || IMPORT_TIMEOUT);
  const seconds = wished >= 0 ? Math.min(wished, 86_400) : IMPORT_TIMEOUT;
  if (seconds === 0) return importing;
  return new Promise((resolve, reject) => {
    // It keeps the process alive: else Node would end here, with nothing left to do and without a word.
    const timer = setTimeout(() => {
      const advice = "CODEX_ML_IMPORT_TIMEOUT sets the seconds, 0 waits for ever";
      reject(new Error(`its import has not settled after ${seconds} s (${advice})`));
    }, seconds * 1000);
    importing.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Whether a value can build a component: a function, a class, or a definition. */
export function isFactory<Component>(value: unknown): value is Factory<Component> {
  if (typeof value === "function") return true;
  return typeof Object(value).create === "function";
}

function construct<C>(factory: Factory<C>, options: unknown, context: ComponentContext): C | Promise<C> {
  if (typeof factory !== "function") return factory.create(options, context);
  // Classes have a `prototype` that cannot be written; functions have one that can, or none.
  const isClass = Object.getOwnPropertyDescriptor(factory, "prototype")?.writable === false;
  return isClass
    ? new (factory as FactoryClass<C>)(options, context)
    : (factory as FactoryFunction<C>)(options, context);
}
