import { Discovery, type DiscoveryOptions } from "../packages/index.ts";
import type { RegistryKind } from "./component.ts";
import { Registry } from "./registry.ts";

/**
 * What the process shares. Two copies of this package in one tree (a plugin brought its own) meet through the symbol;
 * the number goes up if `Registry` or what is kept under it ever changes in a way that the copies could not survive.
 */
const SHARED = Symbol.for("codex-ml.registries.1");

function shared(): { readonly discovery: Discovery; readonly registries: Map<string, unknown> } {
  const holder = globalThis as { [SHARED]?: ReturnType<typeof shared> };
  holder[SHARED] ??= { discovery: new Discovery(), registries: new Map() };
  return holder[SHARED];
}

/** The process-wide registry of a kind. */
export function globalRegistry<Component>(kind: RegistryKind<Component>): Registry<Component> {
  const { discovery, registries } = shared();
  const registry = registries.get(kind.group) ?? new Registry(kind, discovery);
  registries.set(kind.group, registry);
  return registry as Registry<Component>;
}

/** Sets the root, the selection or the pins of the process-wide registries, and looks anew. A run file's come this way. */
export function configurePlugins(options: DiscoveryOptions): void {
  shared().discovery.configure(options);
}
