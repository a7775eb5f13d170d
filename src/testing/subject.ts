import { describeError, describeValue, isRecord, quote } from "../packages/index.ts";
import type { Factory, RegistryKind } from "../registry/component.ts";
import { Entry } from "../registry/entry.ts";
import { RegistryOptionsError } from "../registry/errors.ts";
import { broken, type ConformanceCheck, check } from "./check.ts";
import { expectEqual, type Observation } from "./difference.ts";
import { observedElsewhere } from "./second-process.ts";

/** What every kind's checks can be told. */
export interface ConformanceOptions {
  /** Options that the component is built with. */
  readonly options?: unknown;
  /** Folder that relative paths in the options refer to. Default: the working directory. */
  readonly directory?: string;
  /** Options that it must refuse, each laid over `options`; one check each. */
  readonly invalidOptions?: readonly Readonly<Record<string, unknown>>[];
  /** Whether it may ignore an option that it does not know. Default false: a misspelt one would pass for nothing. */
  readonly allowUnknownOptions?: boolean;
  /**
   * The file that exports the factory, for a check in a second process: `new URL("./metric.js#build", import.meta.url)`.
   * Without `#` the default export. Plain `node` must be able to import it: of TypeScript, give the built file.
   */
  readonly module?: URL | string;
}

/** A factory and its options, built as a run builds it: options validated, result held against the contract. */
export class Subject<Component> {
  readonly kind: RegistryKind<Component>;
  readonly given: ConformanceOptions;
  readonly #entry: Entry<Component>;
  readonly #added: Readonly<Record<string, unknown>>;

  /** @param added Options that a run adds where there are none. */
  constructor(
    kind: RegistryKind<Component>,
    factory: Factory<Component>,
    given: ConformanceOptions = {},
    added: Readonly<Record<string, unknown>> = {},
  ) {
    this.kind = kind;
    this.given = given;
    this.#added = added;
    const source = { import: async () => factory };
    this.#entry = new Entry(kind, { name: "under test" }, { kind: "program" }, source);
  }

  /** @param over Options laid over the given ones. */
  build(over: Readonly<Record<string, unknown>> = {}): Promise<Component> {
    const { options, directory = process.cwd() } = this.given;
    const isPlain = options === undefined || options === null || isRecord(options);
    const merged = isPlain ? { ...this.#added, ...(options ?? {}), ...over } : options;
    return this.#entry.create(merged, { directory });
  }
}

/** What the checks of two builds and two processes compare, and how they are called. */
export interface Repetition<Component> {
  /** What two builds do: "encode alike". */
  readonly claim: string;
  observe(component: Component): Promise<Observation>;
  /** What the second process needs of the kit's options to observe the same. */
  readonly told?: Readonly<Record<string, unknown>>;
}

/** The checks that all kinds have: contract, options, two builds, and two processes where there is a module. */
export function commonChecks<Component>(
  subject: Subject<Component>,
  { claim, observe, told = {} }: Repetition<Component>,
): ConformanceCheck[] {
  const { invalidOptions = [], allowUnknownOptions = false, module, options, directory } = subject.given;
  if (module !== undefined && !URL.canParse(String(module)))
    throw new TypeError(
      `The module ${quote(module)} is no URL. Expected new URL(${quote(module)}, import.meta.url).`,
    );
  const checks = [
    check("a build fulfils the contract", async () => {
      await subject.build();
    }),
  ];
  if (!allowUnknownOptions) checks.push(check("an unknown option is refused", () => refusesUnknown(subject)));
  for (const invalid of invalidOptions)
    checks.push(check(`the options ${shownOptions(invalid)} are refused`, () => refuses(subject, invalid)));
  checks.push(
    check(`two builds ${claim}`, async () => {
      const first = await observe(await subject.build());
      const second = await observe(await subject.build());
      expectEqual(
        "Two builds with the same options must be alike, but differ",
        ["in the first", first],
        ["in the second", second],
      );
    }),
  );
  if (module !== undefined)
    checks.push(
      check(`two processes ${claim}`, async () => {
        const request = {
          kind: subject.kind.kind,
          module: String(module),
          given: { options, directory },
          told,
        };
        const there = await observedElsewhere(request);
        expectEqual(
          "Two processes must give the same (what depends on time, chance or the order of folders does not), but differ",
          ["in this one", await observe(await subject.build())],
          ["in the second", there],
        );
      }),
    );
  return checks;
}

const UNKNOWN = "noSuchOption";

async function refusesUnknown<Component>(subject: Subject<Component>): Promise<void> {
  const error = await refusal(subject, { [UNKNOWN]: 1 });
  if (error === undefined)
    broken(
      `The option ${UNKNOWN} was accepted, so a misspelt option would be ignored. Expected the factory to refuse it: ` +
        "a strict schema, or `throw new InvalidOptionError(name, …)`. Say `allowUnknownOptions: true` if it must not.",
    );
  if (!(error instanceof RegistryOptionsError))
    broken(
      `The unknown option ${UNKNOWN} made the factory throw ${describeError(error)}. Expected an error about options: ` +
        "a strict schema's, or an InvalidOptionError.",
    );
  if (!error.message.includes(UNKNOWN))
    broken(
      `The refusal of the unknown option ${UNKNOWN} does not name it. Expected its name; got: ${error.message}`,
    );
}

async function refuses<Component>(
  subject: Subject<Component>,
  invalid: Readonly<Record<string, unknown>>,
): Promise<void> {
  const error = await refusal(subject, invalid);
  if (error === undefined)
    broken(`The options ${shownOptions(invalid)} were accepted. Expected the factory to refuse them.`);
  if (!(error instanceof RegistryOptionsError))
    broken(
      `The options ${shownOptions(invalid)} made the factory throw ${describeError(error)}, which does not say which ` +
        "option is wrong. Expected a schema's error, or an InvalidOptionError.",
    );
}

async function refusal<Component>(
  subject: Subject<Component>,
  over: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  try {
    await subject.build(over);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Options in one line, with what JSON has not. */
function shownOptions(options: Readonly<Record<string, unknown>>): string {
  const show = (value: unknown): string =>
    Array.isArray(value) || isRecord(value)
      ? (JSON.stringify(value) ?? describeValue(value))
      : describeValue(value);
  return `{ ${Object.entries(options)
    .map(([key, value]) => `${key}: ${show(value)}`)
    .join(", ")} }`;
}
