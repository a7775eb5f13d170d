import type { Factory, Origin, Registry, RegistryEntry } from "../registry/index.ts";
import { globalRegistries, type Registries } from "../run/registries.ts";
import { UsageError } from "../run/usage-error.ts";
import { type OptionRow, optionRows } from "./option-rows.ts";

/** Everything that is known of one component. */
export interface Inspection extends RegistryEntry {
  readonly kind: string;
  /** What else claims the name and does not answer for it. */
  readonly shadows: readonly Origin[];
  /** Why it cannot be imported, when it cannot. */
  readonly failure: Error | undefined;
  /** Undefined when the component does not describe its options. */
  readonly options: readonly OptionRow[] | undefined;
}

/**
 * Looks at one component, and imports it to see whether that works and which options it takes.
 *
 * @param reference `kind/name`, for example `metrics/perplexity` or `metrics/my-package/my_metric`.
 * @throws {UsageError} when there is no such kind, {RegistryError} when nothing answers for the name.
 */
export async function inspectComponent(
  reference: string,
  registries: Registries = globalRegistries,
): Promise<Inspection> {
  const slash = reference.indexOf("/");
  const kind = reference.slice(0, Math.max(0, slash)).replaceAll("-", "_");
  const all: readonly Registry<unknown>[] = Object.values(registries);
  const registry = all.find((one) => one.kind.kind === kind);
  if (registry === undefined)
    throw new UsageError(
      `"${reference}" does not name a component: write kind/name, for example metrics/perplexity. The kinds are ${all.map((one) => one.kind.kind).join(", ")}.`,
    );
  const name = reference.slice(slash + 1);
  const { name: found } = registry.inspect(name);
  let failure: Error | undefined;
  let factory: Factory<unknown> | undefined;
  try {
    factory = await registry.get(name);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const shadows = registry
    .entries()
    .filter((entry) => entry.name === found && entry.origin.status === "shadowed")
    .map(({ origin }) => origin);
  // Asked again: the import has changed its status.
  return { kind, ...registry.inspect(name), shadows, failure, options: factory && optionRows(factory) };
}
