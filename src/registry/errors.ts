import { describeError, describeValue, quote } from "./display.ts";
import { describeOrigin, type Origin, packageLabel } from "./origin.ts";

/** Which component an error is about. */
export interface Subject {
  /** What the registry calls its components: `metric`, `data loader`. */
  readonly noun: string;
  readonly name: string;
  readonly origin: Origin;
}

function label({ noun, name, origin }: Subject): string {
  return `${noun} ${quote(name)} (${describeOrigin(origin)})`;
}

/** Everything a registry throws. `code` is stable; messages are for people and may change. */
export class RegistryError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RegistryError";
    this.code = code;
  }
}

/** A string that cannot be a name. */
export class RegistryNameError extends RegistryError {
  override readonly name = "RegistryNameError";
  constructor(given: unknown, problem: string) {
    super(
      "REGISTRY_NAME_INVALID",
      `${quote(given)} cannot name a component: ${problem}. ` +
        "Names are letters, digits and @ : . _ - (case does not matter), beginning with a letter or digit.",
    );
  }
}

/** A value that is none of the three things that can build a component. */
export class RegistryFactoryTypeError extends RegistryError {
  override readonly name = "RegistryFactoryTypeError";
  constructor(noun: string, name: string, given: unknown) {
    super(
      "REGISTRY_FACTORY_TYPE",
      `${noun} ${quote(name)}: ${describeValue(given)} is no factory. ` +
        "A factory is a function, a class, or an object with `create(options, context)`.",
    );
  }
}

/** Nothing answers for the name. */
export class RegistryNotFoundError extends RegistryError {
  override readonly name = "RegistryNotFoundError";
  /** Names that were probably meant, best first. */
  readonly closest: readonly string[];
  /** Every name of the registry. */
  readonly names: readonly string[];
  constructor(details: {
    readonly problem: string;
    readonly noun: string;
    readonly closest: readonly string[];
    readonly names: readonly string[];
    readonly advice: readonly string[];
  }) {
    const { noun, closest, names } = details;
    const meant = closest.length === 0 ? "" : ` Did you mean ${closest.map(quote).join(" or ")}?`;
    const known = names.length === 0 ? `There are no ${noun}s yet.` : `Known ${noun}s: ${names.join(", ")}.`;
    super("REGISTRY_NOT_FOUND", [`${details.problem}${meant}`, known, ...details.advice].join("\n"));
    this.closest = closest;
    this.names = names;
  }
}

/** Two registrations claim one name. */
export class RegistryConflictError extends RegistryError {
  override readonly name = "RegistryConflictError";
  readonly origins: readonly Origin[];
  constructor(message: string, origins: readonly Origin[]) {
    super("REGISTRY_CONFLICT", message);
    this.origins = origins;
  }
}

/** A component's code could not be imported; `cause` is the original exception. Asking again tries again. */
export class RegistryLoadError extends RegistryError {
  override readonly name = "RegistryLoadError";
  readonly component: string;
  readonly package: string | undefined;
  readonly version: string | undefined;
  readonly target: string | undefined;
  constructor(subject: Subject, cause: unknown) {
    super("REGISTRY_LOAD_FAILED", `Could not load ${label(subject)}: ${describeError(cause)}`, { cause });
    this.component = subject.name;
    this.package = subject.origin.package;
    this.version = subject.origin.version;
    this.target = subject.origin.target;
  }
}

/** What is wrong with one option. */
export interface OptionIssue {
  /** Keys from the options object down to the option. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** For an unknown option: the name that was probably meant. */
  readonly closest?: string;
}

/** Options that the component does not take. */
export class RegistryOptionsError extends RegistryError {
  override readonly name = "RegistryOptionsError";
  readonly component: string;
  readonly issues: readonly OptionIssue[];
  constructor(subject: Subject, issues: readonly OptionIssue[], options?: ErrorOptions) {
    const lines = issues.map(({ path, message, closest }) => {
      const where = path.length === 0 ? "" : `${formatPath(path)}: `;
      return `  ${where}${message}${closest === undefined ? "" : `; did you mean ${quote(closest)}?`}`;
    });
    super("REGISTRY_OPTIONS_INVALID", `Invalid options for ${label(subject)}:\n${lines.join("\n")}`, options);
    this.component = subject.name;
    this.issues = issues;
  }
}

/** The component's own factory threw; `cause` is what it threw. */
export class RegistryFactoryError extends RegistryError {
  override readonly name = "RegistryFactoryError";
  readonly component: string;
  constructor(subject: Subject, cause: unknown) {
    super("REGISTRY_FACTORY_FAILED", `Could not build ${label(subject)}: ${describeError(cause)}`, { cause });
    this.component = subject.name;
  }
}

/** The factory returned something that does not fulfil the kind's contract. */
export class RegistryContractError extends RegistryError {
  override readonly name = "RegistryContractError";
  readonly component: string;
  constructor(subject: Subject, returned: unknown, expected: string) {
    const { origin } = subject;
    const owner =
      origin.package === undefined
        ? ""
        : ` This is for ${packageLabel(origin.package, origin.version)} to mend.`;
    super(
      "REGISTRY_CONTRACT_BROKEN",
      `${label(subject)} breaks the contract of a ${subject.noun}: ` +
        `it returned ${describeValue(returned)}; expected ${expected}.${owner}`,
    );
    this.component = subject.name;
  }
}

/**
 * Thrown by a factory to blame one of its options for something a schema cannot see, such as a file that does not exist.
 * The registry reports it as a {@link RegistryOptionsError} with this path.
 *
 * @example throw new InvalidOptionError("path", `no file at ${file}`, { cause })
 */
export class InvalidOptionError extends Error {
  override readonly name = "InvalidOptionError";
  readonly code = "REGISTRY_INVALID_OPTION";
  readonly path: readonly (string | number)[];
  constructor(path: string | readonly (string | number)[], message: string, options?: ErrorOptions) {
    super(message, options);
    this.path = typeof path === "string" ? [path] : path;
  }

  /** Recognises one from another copy of the package too, for which `instanceof` is false. */
  static is(error: unknown): error is InvalidOptionError {
    return (
      error instanceof Error &&
      (error as { code?: unknown }).code === "REGISTRY_INVALID_OPTION" &&
      "path" in error
    );
  }
}

function formatPath(path: readonly (string | number)[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`)).join("");
}
