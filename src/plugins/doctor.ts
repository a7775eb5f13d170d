import { join } from "node:path";
import { isRecord, type PluginPackage, readPackageJson } from "../packages/index.ts";
import type { Registry, RegistryEntry } from "../registry/index.ts";
import { globalRegistries, type Registries } from "../run/registries.ts";
import { dependencyFindings, undeclaredFindings } from "./doctor/dependencies.ts";
import type { Finding, OwnPackage } from "./doctor/finding.ts";
import { loadFindings } from "./doctor/load.ts";
import { fieldFindings, isForOthers, isPlugin, manifestFindings } from "./doctor/package.ts";
import { problemFindings, shadowFindings } from "./doctor/problems.ts";

/** What is wrong, or will be, with the plugins of a project and with the project as a plugin. */
export interface Diagnosis {
  /** Folder of the project; `undefined` when there is no `package.json` at or above the working directory. */
  readonly root: string | undefined;
  /** The project itself, `name@version`, when it was checked as a package to be published. */
  readonly published: string | undefined;
  /** How many packages declare components, and how many components they declare. */
  readonly plugins: number;
  readonly components: number;
  /** Errors first, then warnings, then notes. */
  readonly findings: readonly Finding[];
}

/** Which components are imported: one's own, all of them, or none. */
export type Loading = "own" | "all" | "none";

/**
 * Looks for everything that keeps plugins from working, or will. Reads manifests; of code it runs what `load` allows.
 *
 * In a plugin package, which is one whose own `package.json` declares components, that package is checked for those who
 * will install it, too, unless it is private and its keywords do not call it a plugin.
 */
export async function diagnose(
  load: Loading = "own",
  registries: Registries = globalRegistries,
): Promise<Diagnosis> {
  const all: readonly Registry<unknown>[] = Object.values(registries);
  const { root, off, packages } = registries.metrics.discovery.found;
  const own = root === undefined ? undefined : readOwn(root);
  const isPublished = own !== undefined && isPlugin(own) && isForOthers(own);
  const findings = [...circumstances(root, off, own), ...problemFindings(all, own?.location)];
  if (root !== undefined && own !== undefined) {
    findings.push(...shadowFindings(all, own.location), ...fieldFindings(own));
    if (off === undefined) {
      findings.push(...dependencyFindings(root, packages.filter(declares)));
      findings.push(...undeclaredFindings(root, own.json));
    }
    if (isPublished) findings.push(...(await publishingFindings(own, all)));
    if (load !== "none") {
      const wanted = ({ kind, name, origin }: RegistryEntry & { kind: string }) =>
        (load === "all" || origin.location === own.location) &&
        !isTold(findings, `${kind}/${name}`, origin.location);
      findings.push(...(await loadFindings(all, { wanted, own })));
    }
  }
  const entries = all.flatMap((registry) => registry.entries());
  return {
    root,
    published: isPublished ? `${own.name ?? "(no name)"}@${own.version ?? "(no version)"}` : undefined,
    plugins: packages.filter(declares).length,
    components: entries.filter(({ origin }) => origin.kind === "entry-point").length,
    findings: order.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
  };
}

const order: readonly Finding["severity"][] = ["error", "warning", "note"];

/** Loaded here: nobody else needs the libraries that these checks stand on. */
async function publishingFindings(own: OwnPackage, all: readonly Registry<unknown>[]): Promise<Finding[]> {
  const [{ publishedFiles, publishedFindings }, { packagingFindings }] = await Promise.all([
    import("./doctor/published.ts"),
    import("./doctor/packaging.ts"),
  ]);
  const files = await publishedFiles(own);
  return [
    ...manifestFindings(own, all),
    ...(await publishedFindings(own, files)),
    ...(files === undefined ? [] : await packagingFindings(own, files)),
  ];
}

/** Whether a component is known to lead to no file: importing it would only say the same. */
function isTold(findings: readonly Finding[], component: string, location: string | undefined): boolean {
  return findings.some(
    (one) => one.code === "TARGET_NOT_FOUND" && one.component === component && one.location === location,
  );
}

function declares({ declarations }: PluginPackage): boolean {
  return declarations.length > 0;
}

/** What makes the doctor see less than there is. */
function circumstances(
  root: string | undefined,
  off: string | undefined,
  own: OwnPackage | undefined,
): Finding[] {
  if (root === undefined)
    return [
      {
        code: "NO_PROJECT",
        severity: "note",
        message: `there is no package.json at or above ${process.cwd()}, so no plugin was looked for`,
        fix: "run it in the folder of the project",
      },
    ];
  if (off !== undefined)
    return [
      {
        code: "PLUGINS_OFF",
        severity: "note",
        message: `no plugin was looked at: ${off}`,
        fix: "take that back for a diagnosis of the plugins",
      },
    ];
  const list = isRecord(own?.json.codexMl) ? own.json.codexMl.plugins : undefined;
  if (!Array.isArray(list)) return [];
  return [
    {
      code: "PLUGINS_LISTED",
      severity: "note",
      location: own?.location,
      message: `only the plugins on the list "codexMl.plugins" were looked at: ${list.join(", ") || "none"}`,
      fix: "add a package to the list to use it",
    },
  ];
}

/** The project's own `package.json`; one that cannot be read is listed among the problems. */
function readOwn(root: string): OwnPackage | undefined {
  try {
    const json = readPackageJson(root);
    const { name, version } = json;
    return {
      name: typeof name === "string" ? name : undefined,
      version: typeof version === "string" ? version : undefined,
      directory: root,
      location: join(root, "package.json"),
      json,
    };
  } catch {
    return undefined;
  }
}
