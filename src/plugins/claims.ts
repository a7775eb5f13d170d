import { type Origin, type Registry, RegistryConflictError, type RegistryEntry } from "../registry/index.ts";

/** A name or alias, and where something else that claims it came from. */
export interface RivalClaim {
  /** The name or alias that both claim. */
  readonly name: string;
  readonly origin: Origin;
}

/** Who else claims the names and aliases of one registration. */
export interface Rivalry {
  /** Those that it goes before. */
  readonly shadows: readonly RivalClaim[];
  /** Those that answer in its place. */
  readonly shadowedBy: readonly RivalClaim[];
  /** Those with which it is even: asking for the name is an error until a pin chooses. */
  readonly conflicts: readonly RivalClaim[];
}

/** Compares a registration with all others of its registry, name by name; imports nothing. */
export function rivalsOf(entry: RegistryEntry, registry: Registry<unknown>): Rivalry {
  const shadows: RivalClaim[] = [];
  const shadowedBy: RivalClaim[] = [];
  const conflicts: RivalClaim[] = [];
  for (const name of [entry.name, ...entry.aliases]) {
    const others = registry
      .entries()
      .filter((one) => [one.name, ...one.aliases].includes(name) && !isSame(one, entry));
    if (others.length === 0) continue;
    const answer = answering(name, registry);
    if (answer === undefined) conflicts.push(...others.map(({ origin }) => ({ name, origin })));
    else if (isSame(answer, entry)) shadows.push(...others.map(({ origin }) => ({ name, origin })));
    else shadowedBy.push({ name, origin: answer.origin });
  }
  return { shadows, shadowedBy, conflicts };
}

/** Who answers for a name; undefined when several claim it with equal right. */
function answering(name: string, registry: Registry<unknown>): RegistryEntry | undefined {
  try {
    return registry.inspect(name);
  } catch (error) {
    if (error instanceof RegistryConflictError) return undefined;
    throw error;
  }
}

function isSame(a: RegistryEntry, b: RegistryEntry): boolean {
  return a.name === b.name && a.origin.kind === b.origin.kind && a.origin.package === b.origin.package;
}
