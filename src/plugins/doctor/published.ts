import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { extname, relative, resolve, sep } from "node:path";
import { init, parse } from "es-module-lexer";
import packlist from "npm-packlist";
import { isRecord, OWN_NAME, quote, readManifest, resolveTarget } from "../../packages/index.ts";
import { about, type Finding, type OwnPackage } from "./finding.ts";

/**
 * Paths of what npm would publish, relative to the package, with `/`; `undefined` where the field `files` is none.
 * Bundled dependencies are not among them.
 */
export async function publishedFiles({
  directory,
  json,
}: OwnPackage): Promise<ReadonlySet<string> | undefined> {
  const { files, bundleDependencies: _, bundledDependencies: __, ...rest } = json;
  const isList = Array.isArray(files) && files.every((path) => typeof path === "string");
  if (files !== undefined && !isList) return undefined;
  const tree = {
    path: directory,
    package: files === undefined ? rest : { ...rest, files },
    isProjectRoot: true,
  } as const;
  return new Set(await packlist({ ...tree, edgesOut: new Map() }));
}

/** Whether what the targets need would reach those who install the package: its own files, and other packages. */
export async function publishedFindings(
  own: OwnPackage,
  files: ReadonlySet<string> | undefined,
): Promise<Finding[]> {
  const { directory, json } = own;
  if (files === undefined)
    return [
      {
        ...about(own),
        code: "FILES_INVALID",
        severity: "error",
        message: '"files" is no array of paths, so npm cannot publish the package',
        fix: 'write "files": ["dist"], with the folders and files to be published',
      },
    ];
  const imports = await importsOf(own);
  const exported = leavesOf(json.exports).filter((path) => !path.includes("*") && isFile(directory, path));
  const typed = [json.types, json.typings].filter(
    (path) => typeof path === "string" && isFile(directory, path),
  );
  const needed = [
    ...imports.files,
    ...[...exported, ...typed].map((path) => inside(directory, String(path))),
  ];
  const missing = [...new Set(needed)].filter((file) => !files.has(file));
  const findings: Finding[] = [...undeclared(own, imports.packages)];
  if (missing.length > 0)
    findings.push({
      ...about(own),
      code: "FILE_NOT_PUBLISHED",
      severity: "error",
      message: `npm would not publish ${missing.map(quote).join(", ")}, which its components or its "exports" need`,
      fix: `${
        json.files === undefined
          ? "take them out of .npmignore (or .gitignore, which counts where there is no .npmignore)"
          : `add them to "files" in package.json`
      }; npm pack --dry-run shows what is published`,
    });
  if (![...files].some((file) => /^readme(\.[^/]*)?$/i.test(file)))
    findings.push({
      ...about(own),
      code: "README_MISSING",
      severity: "warning",
      message: "it has no README, so nobody can learn which options it takes",
      fix: "write README.md: what it does, its options, an example of a run file",
    });
  return findings;
}

interface Imports {
  /** Files of the package that its targets import, the targets included; paths in the package, with `/`. */
  readonly files: ReadonlySet<string>;
  /** Other packages, and the first file that imports them. */
  readonly packages: ReadonlyMap<string, string>;
}

/**
 * Follows the imports of the targets through the package's own ECMAScript modules. What `require` takes, and what an
 * expression names, is not seen.
 */
async function importsOf({ directory, json }: OwnPackage): Promise<Imports> {
  await init;
  const files = new Set<string>();
  const packages = new Map<string, string>();
  const queue = readManifest(json.codexMl, () => {}).declarations.flatMap(({ target }) => {
    try {
      return resolveTarget(directory, target, json);
    } catch {
      return []; // A problem of its own.
    }
  });
  for (const file of queue) {
    const name = inside(directory, file);
    if (files.has(name) || name.startsWith("../") || !existsSync(file)) continue;
    files.add(name);
    for (const specifier of [".js", ".mjs"].includes(extname(file)) ? specifiersOf(file) : [])
      if (/^\.\.?\//.test(specifier)) queue.push(resolve(file, "..", specifier.replace(/[?#].*$/, "")));
      else {
        const imported = packageOf(specifier);
        if (imported !== undefined && !packages.has(imported)) packages.set(imported, name);
      }
  }
  return { files, packages };
}

function specifiersOf(file: string): string[] {
  try {
    return parse(readFileSync(file, "utf8"))[0].flatMap(({ n: specifier }) => specifier ?? []);
  } catch {
    return []; // No ECMAScript module, or none at all: importing it tells which.
  }
}

/** `@scope/name` of `@scope/name/sub`; nothing for what comes with Node or is the package itself by another path. */
function packageOf(specifier: string): string | undefined {
  if (isBuiltin(specifier) || /^(#|\/|\w+:)/.test(specifier)) return undefined;
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

function undeclared(own: OwnPackage, imported: ReadonlyMap<string, string>): Finding[] {
  const { json } = own;
  const declared = [json.dependencies, json.peerDependencies, json.optionalDependencies].flatMap((group) =>
    isRecord(group) ? Object.keys(group) : [],
  );
  const dev = isRecord(json.devDependencies) ? json.devDependencies : {};
  // Of codex-ml itself the missing peer is told already.
  const known = new Set([...declared, OWN_NAME, own.name]);
  return [...imported].flatMap(([name, file]): Finding[] => {
    if (known.has(name)) return [];
    const where =
      name in dev ? 'only in "devDependencies", which nobody gets who installs it' : "in no dependencies";
    return [
      {
        ...about(own),
        code: "DEPENDENCY_UNDECLARED",
        severity: "error",
        message: `${file} imports ${quote(name)}, which is ${where}`,
        fix: `npm install ${name}, which adds it to "dependencies"`,
      },
    ];
  });
}

/** Every path that an `exports` gives, under whatever condition. */
function leavesOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return isRecord(value) || Array.isArray(value) ? Object.values(value).flatMap(leavesOf) : [];
}

function isFile(directory: string, path: string): boolean {
  return existsSync(resolve(directory, path));
}

function inside(directory: string, file: string): string {
  return relative(directory, resolve(directory, file)).split(sep).join("/");
}
