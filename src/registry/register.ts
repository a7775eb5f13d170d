import type { Factory } from "./component.ts";
import { quote } from "./display.ts";
import { RegistryError } from "./errors.ts";
import { isRecord } from "./packages.ts";
import { closestNames } from "./suggest.ts";

export interface RegisterOptions {
  /** Replace what the program registered, or a built-in, instead of throwing. */
  readonly override?: boolean;
  readonly description?: string;
  /** Other names for it. Either all can be had or nothing is registered. */
  readonly aliases?: readonly string[];
}

/**
 * Registers a component, in one of three forms:
 *
 * ```ts
 * registerMetric("toy", buildToy);                    // direct
 * const build = registerMetric("toy")(buildToy);      // curried; gives the factory back
 * @registerMetric("toy") class Toy { … }              // decorator of a class
 * ```
 *
 * It throws `RegistryConflictError` when the program or a built-in has one of the names already.
 */
export interface Register<Component> {
  <F extends Factory<Component>>(name: string, factory: F, options?: RegisterOptions): F;
  (
    name: string,
    options?: RegisterOptions,
  ): <F extends Factory<Component>>(factory: F, context?: ClassDecoratorContext) => F;
}

const KEYS = ["override", "description", "aliases"];

/** @throws {RegistryError} for a key that `register` does not know: `overide: true` must not pass for nothing. */
export function checkRegisterOptions(name: string, options: unknown = {}): RegisterOptions {
  const [stray] = isRecord(options) ? Object.keys(options).filter((key) => !KEYS.includes(key)) : [options];
  if (stray === undefined) return options as RegisterOptions;
  const [closest] = closestNames(String(stray), KEYS);
  const meant = closest === undefined ? `It takes ${KEYS.join(", ")}.` : `Did you mean ${quote(closest)}?`;
  throw new RegistryError(
    "REGISTRY_REGISTER_OPTIONS",
    `register(${quote(name)}, …) got the option ${quote(stray)}. ${meant}`,
  );
}
