import type { Definition } from "./component.ts";

/** The options that a factory takes, as a caller writes them: before defaults are filled in. */
export type OptionsOf<Made> =
  Made extends Definition<infer _Component, infer Input, infer _Output>
    ? Input
    : Made extends abstract new () => unknown
      ? Record<string, never>
      : Made extends abstract new (
            options: infer Options,
            ...rest: never[]
          ) => unknown
        ? Options
        : Made extends () => unknown
          ? Record<string, never>
          : Made extends (options: infer Options, ...rest: never[]) => unknown
            ? Options
            : unknown;

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

/**
 * The arguments of `get…` for a name: those of its factory when `Known` (one of the interfaces of the global namespace
 * `CodexMl`) has it, anything when it has not.
 */
export type ArgumentsFor<Known, Name> = Name extends keyof Known
  ? OptionsArguments<Known[Name]>
  : [options?: unknown];

/** What `get…` gives for a name. */
export type ResultFor<Known, Name, Component> = Name extends keyof Known
  ? ComponentOf<Known[Name]> & Component
  : Component;
