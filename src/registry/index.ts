/**
 * Registries: names of components, where they come from, and how they are built. Knows nothing of what they do.
 *
 * To read it: `component.ts` (what a factory is), `entry.ts` (one registration), `claims.ts` (who answers for a name), then
 * `registry.ts`.
 */
export {
  closestNames,
  type Declaration,
  type Discovered,
  Discovery,
  type DiscoveryOptions,
  normalizeName,
  ownVersion,
  type PluginPackage,
  type PluginProblem,
  type PluginProblemCode,
  type PluginSelection,
  RegistryError,
  RegistryNameError,
} from "../packages/index.ts";
export type * from "./component.ts";
export * from "./errors.ts";
export { configurePlugins, globalRegistry } from "./global.ts";
export { RegistryNotFoundError } from "./not-found.ts";
export { describeOrigin, type Origin } from "./origin.ts";
export type { Register, RegisterOptions } from "./register.ts";
export { createRegistry, Registry, type RegistryEntry } from "./registry.ts";
export type { ArgumentsFor, ComponentOf, OptionsArguments, OptionsOf, ResultFor } from "./typed.ts";
