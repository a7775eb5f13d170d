/** Registries: names of components, where they come from, and how they are built. Knows nothing of what they do. */
export type * from "./component.ts";
export {
  type Discovered,
  Discovery,
  type DiscoveryOptions,
  type PluginPackage,
  type PluginProblem,
} from "./discovery.ts";
export * from "./errors.ts";
export { configurePlugins, globalRegistry } from "./global.ts";
export type { Declaration, PluginSelection } from "./manifest.ts";
export { normalizeName } from "./names.ts";
export { RegistryNotFoundError } from "./not-found.ts";
export { describeOrigin, type Origin } from "./origin.ts";
export { ownVersion } from "./packages.ts";
export type { Register, RegisterOptions } from "./register.ts";
export { createRegistry, Registry, type RegistryEntry } from "./registry.ts";
export { closestNames } from "./suggest.ts";
export type { ArgumentsFor, ComponentOf, OptionsArguments, OptionsOf, ResultFor } from "./typed.ts";
