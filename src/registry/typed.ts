import type { Definition } from "./component.ts";

/** The options that a factory takes, as a caller writes them: before defaults are filled in. */
export type OptionsOf<Made> =
  Made extends Definition<infer _Component, infer Input, infer _Output>
    ? Input
    : Made extends abstract new (
          ...parameters: infer Parameters
        ) => unknown
      ? FirstOf<Parameters>
      : Made extends (...parameters: infer Parameters) => unknown
        ? FirstOf<Parameters>
        : unknown;

/** The first parameter, without the `undefined` of one that may be left out; of none, an object without members. */
type FirstOf<Parameters extends readonly unknown[]> = Parameters extends readonly []
  ? Record<string, never>
  : Exclude<Parameters[0], undefined>;

/** What a factory builds. */
export type ComponentOf<Made> = Made extends {
  create(options: never, ...rest: never[]): infer Component;
}
  ? Awaited<Component>
  : Made extends abstract new (
        ...options: never[]
      ) => infer Component
    ? Component
    : Made extends (...options: never[]) => infer Component
      ? Awaited<Component>
      : unknown;

/** The arguments after the name in `get…("name", options)`: the options may be left out where none is required. */
export type OptionsArguments<Made> =
  Record<never, never> extends Required<OptionsOf<Made>>
    ? [options?: OptionsOf<Made>]
    : Partial<OptionsOf<Made>> extends OptionsOf<Made>
      ? [options?: OptionsOf<Made>]
      : [options: OptionsOf<Made>];

/** `Untyped` where `Made` is `any`, which TypeScript makes of a factory whose package has no types. */
type OrUntyped<Made, Typed, Untyped> = [0] extends [1 & Made] ? Untyped : Typed;

/**
 * The arguments of `get…` for a name: those of its factory when `Known` (one of the interfaces of the global namespace
 * `CodexMl`) has it with a type, anything when it has not.
 */
export type ArgumentsFor<Known, Name> = Name extends keyof Known
  ? OrUntyped<Known[Name], OptionsArguments<Known[Name]>, [options?: unknown]>
  : [options?: unknown];

/** What `get…` gives for a name. */
export type ResultFor<Known, Name, Component> = Name extends keyof Known
  ? OrUntyped<Known[Name], ComponentOf<Known[Name]> & Component, Component>
  : Component;
