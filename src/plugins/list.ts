import { closestNames, type PluginProblem, type Registry, type RegistryEntry } from "../registry/index.ts";
import { globalRegistries, type Registries } from "../run/registries.ts";
import { UsageError } from "../run/usage-error.ts";

/** Everything that can be named in a run file, and what keeps packages from taking part. */
export interface ComponentListing {
  readonly components: readonly (RegistryEntry & { readonly kind: string })[];
  readonly problems: readonly PluginProblem[];
  /** Why no package was looked at, when plugins are off. */
  readonly off: string | undefined;
}

/**
 * Lists the components of all kinds, or of one; reads manifests and imports nothing.
 *
 * @throws {UsageError} when there is no such kind.
 */
export function listComponents(kind?: string, registries: Registries = globalRegistries): ComponentListing {
  const all: readonly Registry<unknown>[] = Object.values(registries);
  const kinds = all.map((registry) => registry.kind.kind);
  const wanted = kind?.replaceAll("-", "_");
  if (wanted !== undefined && !kinds.includes(wanted)) {
    const [closest] = closestNames(wanted, kinds);
    const hint = closest === undefined ? "" : ` Did you mean "${closest}"?`;
    throw new UsageError(`There is no kind "${kind}"; the kinds are ${kinds.join(", ")}.${hint}`);
  }
  const registered = all.filter((registry) => wanted === undefined || registry.kind.kind === wanted);
  const problems = new Map(
    registered.flatMap((registry) => registry.problems()).map((problem) => [problem.message, problem]),
  );
  return {
    components: registered.flatMap((registry) =>
      registry.entries().map((entry) => ({ kind: registry.kind.kind, ...entry })),
    ),
    problems: [...problems.values()],
    off: registered[0]?.discovery.found.off,
  };
}
