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
  type PluginProblemCode,
} from "./discovery.ts";
export { describeError, describeValue, packageLabel, quote } from "./display.ts";
export { RegistryError, RegistryNameError } from "./errors.ts";
export { explainLeftOut } from "./left-out.ts";
export { type Declaration, normalizePin, type PluginSelection, readManifest } from "./manifest.ts";
export { isPackageName, normalizeName, parseReference } from "./names.ts";
export {
  findRoot,
  importedPath,
  importTarget,
  isRecord,
  locatePackage,
  OWN_NAME,
  ownVersion,
  type PackageJson,
  parseTarget,
  readPackageJson,
  resolveTarget,
} from "./packages.ts";
export { closestNames, editDistance, unknownKey } from "./suggest.ts";
