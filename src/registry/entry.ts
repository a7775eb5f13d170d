import type { Factory } from "./component.ts";
import { RegistryFactoryTypeError, RegistryLoadError, type Subject } from "./errors.ts";
import type { Origin } from "./origin.ts";
import { ownVersion } from "./own-package.ts";

/** The parts of an origin that do not change. */
type Provenance = Pick<Origin, "kind"> &
  Partial<Pick<Origin, "package" | "version" | "target" | "location" | "replaced">>;

/** One registration: a name, where it came from, and its factory once somebody has asked for it. */
export class Entry<Component> {
  readonly noun: string;
  readonly name: string;
  /** Shrinks when another registration takes one over. */
  readonly aliases: Set<string>;
  readonly description: string | undefined;
  readonly #provenance: Provenance;
  readonly #import: (attempt: number) => Promise<unknown>;
  #factory: Promise<Factory<Component>> | undefined;
  #importing: Promise<unknown> | undefined;
  #status: "declared" | "loaded" | "failed" = "declared";
  #error: Error | undefined;
  #attempts = 0;

  constructor(
    details: {
      readonly noun: string;
      readonly name: string;
      readonly aliases?: Iterable<string> | undefined;
      readonly description?: string | undefined;
    },
    provenance: Provenance,
    /** A factory at hand, or the import that gives it. */
    factory:
      | { readonly ready: Factory<Component> }
      | { readonly import: (attempt: number) => Promise<unknown> },
  ) {
    this.noun = details.noun;
    this.name = details.name;
    this.aliases = new Set(details.aliases);
    this.#provenance = provenance;
    this.#import = "import" in factory ? factory.import : async () => factory.ready;
    if ("ready" in factory) {
      this.#factory = Promise.resolve(factory.ready);
      this.#status = "loaded";
    }
    this.description = details.description ?? ("ready" in factory ? descriptionOf(factory.ready) : undefined);
  }

  get package(): string | undefined {
    return this.#provenance.package;
  }

  /** Whether this is one of its names. */
  claims(name: string): boolean {
    return this.name === name || this.aliases.has(name);
  }

  /** The factory. Concurrent calls share one import, its result is kept, and a failed one may be tried again. */
  factory(): Promise<Factory<Component>> {
    if (this.#factory !== undefined) return this.#factory;
    const loading = this.#load();
    this.#factory = loading;
    loading.catch(() => {
      this.#factory = undefined;
    });
    return loading;
  }

  async #load(): Promise<Factory<Component>> {
    try {
      const value = await this.#imported();
      if (!isFactory<Component>(value)) throw new RegistryFactoryTypeError(this.noun, this.name, value);
      this.#status = "loaded";
      this.#error = undefined;
      return value;
    } catch (cause) {
      const error = new RegistryLoadError(this.subject(), cause);
      this.#status = "failed";
      this.#error = error;
      throw error;
    }
  }

  /** What the import gives. One that takes too long goes on, and whoever asks again waits for that same one. */
  #imported(): Promise<unknown> {
    this.#importing ??= (async () => this.#import(this.#attempts++))().finally(() => {
      this.#importing = undefined;
    });
    return inTime(this.#importing);
  }

  subject(): Subject {
    return { noun: this.noun, name: this.name, origin: this.origin(false) };
  }

  origin(shadowed: boolean): Origin {
    const { kind, package: owner, version, target, location, replaced } = this.#provenance;
    return {
      kind,
      package: owner,
      // Ours is read only when somebody asks: a process that builds nothing reads no file.
      version: kind === "builtin" ? ownVersion() : version,
      target,
      location,
      status: this.#status !== "failed" && shadowed ? "shadowed" : this.#status,
      error: this.#error,
      ...(replaced === undefined ? {} : { replaced }),
    };
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
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { create?: unknown }).create === "function"
  );
}

function descriptionOf(factory: Factory<unknown>): string | undefined {
  return typeof factory === "function" ? undefined : factory.description;
}
