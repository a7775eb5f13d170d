/** Registries: names of components, where they come from, and how they are built. Knows nothing of what they do. */
export type {
  ComponentContext,
  Definition,
  Factory,
  FactoryClass,
  FactoryFunction,
} from "./component.ts";
export {
  type Discovered,
  Discovery,
  type DiscoveryOptions,
  type PluginPackage,
  type PluginProblem,
} from "./discovery.ts";
export {
  InvalidOptionError,
  type OptionIssue,
  RegistryConflictError,
  RegistryContractError,
  RegistryError,
  RegistryFactoryError,
  RegistryFactoryTypeError,
  RegistryLoadError,
  RegistryNameError,
  RegistryNotFoundError,
  RegistryOptionsError,
} from "./errors.ts";
export { configurePlugins, globalRegistry } from "./global.ts";
export type { Builtin, RegistryEntry, RegistryKind } from "./kind.ts";
export type { Declaration, PluginSelection } from "./manifest.ts";
export { describeOrigin, type Origin } from "./origin.ts";
export { ownVersion } from "./own-package.ts";
export type { Register, RegisterOptions } from "./register.ts";
export { createRegistry, Registry } from "./registry.ts";
export type { StandardIssue, StandardResult, StandardSchemaV1 } from "./standard-schema.ts";
export { closestNames } from "./suggest.ts";
export type { ArgumentsFor, ComponentOf, OptionsArguments, OptionsOf, ResultFor } from "./typed.ts";
