/**
 * What the packages of a project declare: reads their `package.json` files. Knows nothing of what becomes of it.
 *
 * To read it: `packages.ts` (where a package lies, which file a target means), `manifest.ts` (one `package.json`), then
 * `discovery.ts` (all of a project).
 */
export {
  type Discovered,
  Discovery,
  type DiscoveryOptions,
  type PluginPackage,
  type PluginProblem,
} from "./discovery.ts";
export { describeError, describeValue, packageLabel, quote } from "./display.ts";
export { RegistryError, RegistryNameError } from "./errors.ts";
export { explainLeftOut } from "./left-out.ts";
export { type Declaration, normalizePin, type PluginSelection } from "./manifest.ts";
export { normalizeName, parseReference } from "./names.ts";
export { importTarget, isRecord, OWN_NAME, ownVersion, resolveTarget } from "./packages.ts";
export { closestNames, unknownKey } from "./suggest.ts";
