import { isRecord, normalizeName, quote, RegistryError, unknownKey } from "../packages/index.ts";
import type { Factory } from "./component.ts";
import { isFactory } from "./entry.ts";
import { callerLocation } from "./origin.ts";

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

/** Takes a registration in whichever form, with the place of the call, and hands it to `add`. */
export function registerBy<Component>(
  add: (name: string, factory: unknown, options: RegisterOptions, location: string | undefined) => void,
): Register<Component> {
  const register = (given: string, ...rest: readonly unknown[]): unknown => {
    const location = callerLocation(register);
    const name = normalizeName(given);
    const [first, second] = rest;
    // `register(name, undefined)` is a factory that failed to arrive, not the curried form.
    const isCurried = rest.length === 0 || (rest.length === 1 && isRecord(first) && !isFactory(first));
    const options = checkOptions(name, isCurried ? first : second);
    const take = (factory: unknown): unknown => {
      add(name, factory, options, location);
      return factory;
    };
    return isCurried ? take : take(first);
  };
  return register as Register<Component>;
}

/** @throws {RegistryError} for a key that `register` does not know: `overide: true` must not pass for nothing. */
function checkOptions(name: string, options: unknown = {}): RegisterOptions {
  const keys = isRecord(options) ? Object.keys(options) : [String(options)];
  const stray = unknownKey(keys, ["override", "description", "aliases"]);
  if (stray === undefined) return options as RegisterOptions;
  throw new RegistryError(
    "REGISTRY_REGISTER_OPTIONS",
    `the options of register(${quote(name)}, …): ${stray}`,
  );
}
