import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { satisfies } from "semver";
import {
  editDistance,
  findRoot,
  importedPath,
  isRecord,
  locatePackage,
  OWN_NAME,
  type PackageJson,
  type PluginPackage,
  packageLabel,
  quote,
  readPackageJson,
} from "../../packages/index.ts";
import type { Finding } from "./finding.ts";

/** One `codex-ml` on the disk. */
interface Copy {
  readonly directory: string;
  readonly version: string;
}

/** What is wrong between installed plugins, the `codex-ml` that they find, and this Node. */
export function dependencyFindings(root: string, plugins: readonly PluginPackage[]): Finding[] {
  const running = copyAt(findRoot(dirname(fileURLToPath(import.meta.url))));
  const installed = copyFrom(root);
  const used = installed ?? running;
  const findings: Finding[] = [];
  if (used !== undefined && running !== undefined && running.directory !== used.directory)
    findings.push({
      code: "CODEX_ML_COPIES",
      severity: "error",
      package: OWN_NAME,
      version: running.version,
      location: running.directory,
      message: `this command runs ${show(running)}, and the project has ${show(used)}. ${WHY}`,
      fix: "run the project's own: npx codex-ml",
    });
  for (const plugin of plugins.filter(({ directory }) => directory !== root))
    findings.push(...ofPlugin(root, plugin, used));
  return findings;
}

const WHY =
  "Layers, parameters and tensors of one copy are none for the other, and what one repairs the other still has.";

function ofPlugin(root: string, plugin: PluginPackage, used: Copy | undefined): Finding[] {
  const { name, version, location, directory, json } = plugin;
  const about = { package: name, version, location };
  const findings: Finding[] = [];
  const found = copyFrom(directory);
  const isDependency = keysOf(json.dependencies).includes(OWN_NAME);
  const isPeer = keysOf(json.peerDependencies).includes(OWN_NAME);
  const toPeers = `its authors should move ${OWN_NAME} from "dependencies" to "peerDependencies" (npm bugs ${name})`;
  if (found !== undefined && used !== undefined && found.directory !== used.directory) {
    const isLinked =
      relative(root, directory).startsWith("..") && relative(root, found.directory).startsWith("..");
    const here = isLinked
      ? `install it packed instead of linked (npm pack, then npm install <archive>), or make both members of one workspace`
      : isDependency
        ? `npm dedupe ${OWN_NAME}, or "overrides": { ${quote(OWN_NAME)}: ${quote(`$${OWN_NAME}`)} } in package.json; ${toPeers}`
        : `npm dedupe ${OWN_NAME}`;
    findings.push({
      ...about,
      code: "CODEX_ML_COPIES",
      severity: "error",
      message: `it imports another copy of ${OWN_NAME}, ${show(found)}, than the project, ${show(used)}. ${WHY}`,
      fix: here,
    });
  } else if (isDependency)
    findings.push({
      ...about,
      code: "CODEX_ML_IN_DEPENDENCIES",
      severity: "warning",
      message: `it has ${OWN_NAME} in "dependencies": an update of either can bring a second copy`,
      fix: toPeers,
    });
  if (found === undefined && (isPeer || isDependency))
    findings.push({
      ...about,
      code: "CODEX_ML_NOT_FOUND",
      severity: "error",
      message: `it needs ${OWN_NAME}, and none can be imported from ${directory}`,
      fix: `npm install ${OWN_NAME} in the project; where the package is a link, in the folder that it leads to`,
    });
  const engine = isRecord(json.engines) ? json.engines.node : undefined;
  if (typeof engine === "string" && !satisfies(process.versions.node, engine, { includePrerelease: true }))
    findings.push({
      ...about,
      code: "ENGINE_UNMET",
      severity: "warning",
      message: `it is made for Node ${engine}, and this is ${process.versions.node}`,
      fix: `use such a Node, or a version of ${name} that is made for this one`,
    });
  return findings;
}

/** Direct dependencies that call themselves plugins and declare nothing that is read. */
export function undeclaredFindings(root: string, json: PackageJson): Finding[] {
  const groups = [json.dependencies, json.optionalDependencies, json.devDependencies];
  return [...new Set(groups.flatMap(keysOf))].flatMap((name): Finding[] => {
    const read = readInstalled(name, root);
    if (read === undefined || read.json.codexMl !== undefined || !isPluginByKeyword(read.json)) return [];
    const { version } = read.json;
    const misspelt = misspeltField(read.json);
    return [
      {
        code: "COMPONENTS_UNDECLARED",
        severity: "warning",
        package: name,
        version: typeof version === "string" ? version : undefined,
        location: join(read.directory, "package.json"),
        message: `its keywords call it a plugin, but it has no field "codexMl" that declares components${
          misspelt === undefined ? "" : `; it has ${quote(misspelt)}`
        }`,
        fix: `npm install ${name}@latest; if that does not help, tell its authors (npm bugs ${name})`,
      },
    ];
  });
}

/** Whether the keywords say that it is a plugin of ours. */
export function isPluginByKeyword({ keywords }: PackageJson): boolean {
  return Array.isArray(keywords) && keywords.includes("codex-ml-plugin");
}

/** A top-level field that was probably meant to be `codexMl`, or that belongs into it. */
export function misspeltField(json: PackageJson): string | undefined {
  const [found] =
    Object.entries(json).find(([key, value]) => {
      if (key === "codexMl") return false;
      const hasGroups = isRecord(value) && Object.keys(value).some((group) => group.startsWith("codex_ml."));
      // No further: "codecov" is somebody else's.
      const isClose = editDistance(key.toLowerCase().replace(/[._-]/g, ""), "codexml") <= 1;
      return key.startsWith("codex_ml.") || hasGroups || isClose;
    }) ?? [];
  return found;
}

function readInstalled(name: string, root: string): { directory: string; json: PackageJson } | undefined {
  try {
    const directory = locatePackage(name, root);
    return directory === undefined ? undefined : { directory, json: readPackageJson(directory) };
  } catch {
    return undefined; // What cannot be read is listed among the problems.
  }
}

function copyFrom(directory: string): Copy | undefined {
  return copyAt(locatePackage(OWN_NAME, directory));
}

function copyAt(located: string | undefined): Copy | undefined {
  if (located === undefined) return undefined;
  try {
    const { name, version } = readPackageJson(located);
    return name === OWN_NAME ? { directory: importedPath(located), version: String(version) } : undefined;
  } catch {
    return undefined;
  }
}

function show({ directory, version }: Copy): string {
  return `${packageLabel(OWN_NAME, version)} in ${directory}`;
}

function keysOf(group: unknown): string[] {
  return isRecord(group) ? Object.keys(group) : [];
}
