import { describeError, describeValue, packageLabel, quote, RegistryError } from "../packages/index.ts";
import { describeOrigin, type Origin, type Subject } from "./origin.ts";

/** Two registrations claim one name. */
export class RegistryConflictError extends RegistryError {
  readonly origins: readonly Origin[];
  constructor({ kind, noun }: { kind: string; noun: string }, name: string, rivals: readonly Subject[]) {
    const origins = rivals.map(({ origin }) => origin);
    const owners = origins.flatMap((origin) => (origin.kind === "entry-point" ? (origin.package ?? []) : []));
    const pin = `"codexMl": { "pins": { ${quote(`${kind}/${name}`)}: ${quote(owners[0])} } }`;
    const full = owners.map((owner) => quote(`${owner}/${name}`)).join(" or ");
    const advice =
      owners.length === 0
        ? "Choose another name, or replace the first with { override: true }."
        : `Choose one by a pin in the project's package.json, ${pin}, or ask for ${full}.`;
    const claims = origins.map(describeOrigin).join(" and ");
    super("REGISTRY_CONFLICT", `${noun} ${quote(name)} is claimed twice: ${claims}. ${advice}`);
    this.origins = origins;
  }
}

/** What went wrong with one component, told with its origin. */
class ComponentError extends RegistryError {
  readonly component: string;
  readonly package: string | undefined;
  readonly version: string | undefined;
  readonly target: string | undefined;
  constructor(code: string, { name, origin }: Subject, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.component = name;
    this.package = origin.package;
    this.version = origin.version;
    this.target = origin.target;
  }
}

function label({ noun, name, origin }: Subject): string {
  return `${noun} ${quote(name)} (${describeOrigin(origin)})`;
}

/** A component's code could not be imported; `cause` is the original exception. Asking again tries again. */
export class RegistryLoadError extends ComponentError {
  constructor(subject: Subject, cause: unknown) {
    const message = `Could not load ${label(subject)}: ${describeError(cause)}`;
    super("REGISTRY_LOAD_FAILED", subject, message, { cause });
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
export class RegistryOptionsError extends ComponentError {
  readonly issues: readonly OptionIssue[];
  constructor(subject: Subject, issues: readonly OptionIssue[], options?: ErrorOptions) {
    const lines = issues.map(({ path, message, closest }) => {
      const keys = path.map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`));
      const meant = closest === undefined ? "" : `; did you mean ${quote(closest)}?`;
      return `\n  ${keys.join("")}${path.length === 0 ? "" : ": "}${message}${meant}`;
    });
    const message = `Invalid options for ${label(subject)}:${lines.join("")}`;
    super("REGISTRY_OPTIONS_INVALID", subject, message, options);
    this.issues = issues;
  }
}

/** The component's own factory threw; `cause` is what it threw. */
export class RegistryFactoryError extends ComponentError {
  constructor(subject: Subject, cause: unknown) {
    const message = `Could not build ${label(subject)}: ${describeError(cause)}`;
    super("REGISTRY_FACTORY_FAILED", subject, message, { cause });
  }
}

/** The factory returned something that does not fulfil the kind's contract. */
export class RegistryContractError extends ComponentError {
  constructor(subject: Subject, returned: unknown, expected: string) {
    const { package: owner, version } = subject.origin;
    const whose = owner === undefined ? "" : ` This is for ${packageLabel(owner, version)} to mend.`;
    const broken = `${label(subject)} breaks the contract of a ${subject.noun}`;
    const message = `${broken}: it returned ${describeValue(returned)}; expected ${expected}.${whose}`;
    super("REGISTRY_CONTRACT_BROKEN", subject, message);
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
    const { code } = (error instanceof Error ? error : {}) as { code?: unknown };
    return code === "REGISTRY_INVALID_OPTION";
  }
}
