/** What a component can be built from, and what a registry has to know of one kind of them. */

/** What a factory is told besides its options. */
export interface ComponentContext {
  /** Absolute path of the folder that relative paths in the options refer to: the run file's, else the working directory. */
  readonly directory: string;
  /** What was learned is given to `load` right after: files from which it came the first time may be gone, and are not read. */
  readonly restoring?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: factories of every option type share one registry.
type AnyOptions = any;

/** A function that builds a component from its options. */
export type FactoryFunction<Component> = (
  options: AnyOptions,
  context: ComponentContext,
) => Component | Promise<Component>;

/** A class whose instances are components; its constructor takes the options. */
export type FactoryClass<Component> = new (options: AnyOptions, context: ComponentContext) => Component;

/**
 * A component described rather than coded: what it is for, which options it takes, how it is built.
 *
 * `options` is any Standard Schema (zod, valibot, arktype …). It validates and fills in defaults before `create`
 * runs, and when it can give a JSON Schema, documentation, `--help` and "did you mean" come from it.
 */
export interface Definition<Component, Input = unknown, Output = Input> {
  readonly description?: string;
  readonly options?: StandardSchemaV1<Input, Output>;
  create(options: Output, context: ComponentContext): Component | Promise<Component>;
}

/** Everything a name in a registry can stand for. */
export type Factory<Component> =
  | FactoryFunction<Component>
  | FactoryClass<Component>
  | Definition<Component, AnyOptions, AnyOptions>;

/** One kind of component. */
export interface RegistryKind<Component> {
  /** Key of the kind, as in pins: `metrics`. */
  readonly kind: string;
  /** What one is called in messages: `metric`. */
  readonly noun: string;
  /** Group under which packages declare them: `codex_ml.metrics`. */
  readonly group: string;
  /** Holds a built component against the contract: what was expected, when it breaks it. */
  check(value: unknown): string | undefined;
  readonly builtins: Readonly<Record<string, Builtin<Component>>>;
}

/** A component of our own, imported when somebody asks for it. */
export interface Builtin<Component> {
  load(): Promise<Factory<Component>>;
  readonly aliases?: readonly string[];
  readonly description?: string;
}

/** The Standard Schema interface (https://standardschema.dev, version 1), with the part of its JSON Schema extension that is read. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema?: {
      /** `libraryOptions` are for the library alone: zod takes `unrepresentable: "any"`. */
      input(options: { target: string; libraryOptions?: Record<string, unknown> }): Record<string, unknown>;
    };
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
