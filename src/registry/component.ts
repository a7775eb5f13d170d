import type { StandardSchemaV1 } from "./standard-schema.ts";

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

/** What a factory is told besides its options. */
export interface ComponentContext {
  /** Absolute path of the folder that relative paths in the options refer to: the run file's, else the working directory. */
  readonly directory: string;
}

/** A function that builds a component from its options. */
export type FactoryFunction<Component> = (
  // biome-ignore lint/suspicious/noExplicitAny: factories of every option type share one registry.
  options: any,
  context: ComponentContext,
) => Component | Promise<Component>;

/** A class whose instances are components; its constructor takes the options. */
// biome-ignore lint/suspicious/noExplicitAny: see FactoryFunction.
export type FactoryClass<Component> = new (options: any, context: ComponentContext) => Component;

/** Everything a name in a registry can stand for: a function, a class, or a definition. */
export type Factory<Component> =
  | FactoryFunction<Component>
  | FactoryClass<Component>
  // biome-ignore lint/suspicious/noExplicitAny: see FactoryFunction.
  | Definition<Component, any, any>;
