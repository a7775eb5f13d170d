import { Discovery, type DiscoveryOptions } from "./discovery.ts";
import type { RegistryKind } from "./kind.ts";
import { Registry } from "./registry.ts";

interface Shared {
  readonly discovery: Discovery;
  readonly registries: Map<string, Registry<unknown>>;
}

/**
 * What the process shares. Two copies of this package in one tree (a plugin brought its own) meet through the symbol;
 * the number goes up if `Shared` or `Registry` ever changes in a way that the copies could not survive.
 */
const SHARED = Symbol.for("codex-ml.registries.1");

function shared(): Shared {
  const holder = globalThis as { [SHARED]?: Shared };
  holder[SHARED] ??= { discovery: new Discovery(), registries: new Map() };
  return holder[SHARED];
}

/** The process-wide registry of a kind. */
export function globalRegistry<Component>(kind: RegistryKind<Component>): Registry<Component> {
  const { discovery, registries } = shared();
  const existing = registries.get(kind.group) as Registry<Component> | undefined;
  if (existing !== undefined) return existing;
  const registry = new Registry(kind, discovery);
  registries.set(kind.group, registry as Registry<unknown>);
  return registry;
}

/** Sets the root, the selection or the pins of the process-wide registries, and looks anew. A run file's come this way. */
export function configurePlugins(options: DiscoveryOptions): void {
  shared().discovery.configure(options);
}
