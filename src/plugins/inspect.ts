import { resolveTarget } from "../packages/index.ts";
import type { Origin, Registry, RegistryEntry } from "../registry/index.ts";
import { globalRegistries, type Registries } from "../run/registries.ts";
import { UsageError } from "../run/usage-error.ts";
import { type Rivalry, rivalsOf } from "./claims.ts";
import { type OptionRow, optionRows } from "./option-rows.ts";
import { syntaxErrorAt, thrownAt } from "./thrown-at.ts";

/** Everything that is known of one component. */
export interface Inspection extends RegistryEntry, Rivalry {
  readonly kind: string;
  /** Path of the file that its target means; undefined for what is no package's, and where there is no such file. */
  readonly file: string | undefined;
  /** Why it cannot be imported, when it cannot. */
  readonly failure: Error | undefined;
  /** `file:line` where the package's own code failed, when it is known. */
  readonly failedAt: string | undefined;
  /** Undefined when the component does not describe its options, or could not be imported. */
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
  const { origin } = registry.inspect(name);
  const target = targetOf(origin, registry);
  const outcome = await registry.get(name).then(
    (factory) => ({ factory, failure: undefined }),
    (error: unknown) => ({
      factory: undefined,
      failure: error instanceof Error ? error : new Error(String(error)),
    }),
  );
  const { factory, failure } = outcome;
  // Asked again: the import has changed its status.
  const entry = registry.inspect(name);
  return {
    kind,
    ...entry,
    ...rivalsOf(entry, registry),
    file: target?.file,
    failure,
    failedAt: failure && target && (await placeOf(failure, target)),
    options: factory && optionRows(factory),
  };
}

interface Target {
  readonly directory: string;
  readonly file: string | undefined;
}

/** Where a package's component lies; undefined for any other. */
function targetOf(origin: Origin, registry: Registry<unknown>): Target | undefined {
  const { packages } = registry.discovery.found;
  const owner = packages.find(
    ({ location }) => origin.kind === "entry-point" && location === origin.location,
  );
  if (owner === undefined || origin.target === undefined) return undefined;
  try {
    return { directory: owner.directory, file: resolveTarget(owner.directory, origin.target, owner.json) };
  } catch {
    return { directory: owner.directory, file: undefined }; // Importing it tells why.
  }
}

async function placeOf(failure: Error, { directory, file }: Target): Promise<string | undefined> {
  const place = thrownAt(failure.cause, directory);
  if (place !== undefined || file === undefined || !(failure.cause instanceof SyntaxError)) return place;
  return syntaxErrorAt(file);
}
