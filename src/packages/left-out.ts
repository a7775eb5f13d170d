import type { Discovered } from "./discovery.ts";
import { quote } from "./display.ts";
import { readManifest } from "./manifest.ts";
import { isPackageName } from "./names.ts";
import { locatePackage, readPackageJson } from "./packages.ts";

/**
 * Why a name is not found, when it is because a list of plugins leaves a package out: one sentence for each such package.
 * Reads what the others never need: the manifests of the direct dependencies that no list allows.
 */
export function explainLeftOut(
  { root, leftOut }: Discovered,
  group: string,
  name: string,
  owner: string | undefined,
): string[] {
  if (root === undefined) return [];
  return [...leftOut].flatMap(([left, list]) => {
    if (left !== (owner ?? left) || !declares(left, root, group, name)) return [];
    return `The dependency ${quote(left)} declares it, but ${list} leaves that package out; add its name there to use it.`;
  });
}

function declares(owner: string, root: string, group: string, name: string): boolean {
  try {
    const located = isPackageName(owner) ? locatePackage(owner, root) : undefined;
    if (located === undefined) return false;
    const { declarations } = readManifest(readPackageJson(located).codexMl, () => {});
    return declarations.some((one) => one.group === group && [one.name, ...one.aliases].includes(name));
  } catch {
    return false; // What cannot be read declares nothing.
  }
}
