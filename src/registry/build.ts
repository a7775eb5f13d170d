import type { ComponentContext, Factory, FactoryClass, FactoryFunction } from "./component.ts";
import type { Entry } from "./entry.ts";
import {
  InvalidOptionError,
  RegistryContractError,
  RegistryFactoryError,
  RegistryOptionsError,
} from "./errors.ts";
import { refuseOptions, validateOptions } from "./options.ts";

/**
 * Builds a component: validates the options, calls the factory, and holds what it returned against the contract.
 *
 * @throws {RegistryOptionsError} the options are not what the component takes.
 * @throws {RegistryFactoryError} the factory threw.
 * @throws {RegistryContractError} what it returned is no such component.
 */
export async function buildComponent<Component>(
  entry: Entry<Component>,
  check: (value: unknown) => string | undefined,
  options: unknown,
  context: ComponentContext,
): Promise<Component> {
  const factory = await entry.factory();
  const accepted = await acceptOptions(entry, factory, options);
  let component: Component;
  let expected: string | undefined;
  try {
    component = await construct(factory, accepted, context);
    expected = check(component);
  } catch (cause) {
    if (!InvalidOptionError.is(cause)) throw new RegistryFactoryError(entry.subject(), cause);
    const { path, message } = cause;
    throw new RegistryOptionsError(entry.subject(), [{ path, message }], { cause });
  }
  if (expected !== undefined) throw new RegistryContractError(entry.subject(), component, expected);
  return component;
}

/** The options that the factory is called with: validated, with defaults, where it has a schema. */
async function acceptOptions<Component>(
  entry: Entry<Component>,
  factory: Factory<Component>,
  options: unknown,
): Promise<unknown> {
  if (typeof factory === "function") return options ?? {};
  if (factory.options === undefined) {
    const issues = refuseOptions(options);
    if (issues !== undefined) throw new RegistryOptionsError(entry.subject(), issues);
    return {};
  }
  let result: Awaited<ReturnType<typeof validateOptions>>;
  try {
    result = await validateOptions(factory.options, options ?? {});
  } catch (cause) {
    throw new RegistryFactoryError(entry.subject(), cause);
  }
  if ("issues" in result) throw new RegistryOptionsError(entry.subject(), result.issues);
  return result.value;
}

function construct<Component>(
  factory: Factory<Component>,
  options: unknown,
  context: ComponentContext,
): Component | Promise<Component> {
  if (typeof factory !== "function") return factory.create(options, context);
  return isClass(factory) ? new factory(options, context) : factory(options, context);
}

/** Classes have a `prototype` that cannot be written; functions have one that can, or none. */
function isClass<Component>(
  factory: FactoryFunction<Component> | FactoryClass<Component>,
): factory is FactoryClass<Component> {
  return Object.getOwnPropertyDescriptor(factory, "prototype")?.writable === false;
}
