import { dirname, join, relative, sep } from "node:path";
import type { PluginPackage, PluginProblem, Registry, RegistryEntry } from "../registry/index.ts";
import { globalRegistries, type Registries } from "../run/registries.ts";
import { UsageError } from "../run/usage-error.ts";
import { listComponents } from "./list.ts";
import { type TypedTarget, typedTarget } from "./package-types.ts";

/** The declaration file that gives a project the types of its plugins' components. */
export interface PluginTypes {
  /** Absolute path of the file. */
  readonly file: string;
  readonly text: string;
  /** How many components have types. */
  readonly typed: number;
  /** Components that take anything, and why. */
  readonly untyped: readonly { readonly component: string; readonly reason: string }[];
  /** What keeps packages or components from being used at all. */
  readonly problems: readonly PluginProblem[];
}

/** Interfaces of the global namespace `CodexMl`, by kind. */
const INTERFACES: Readonly<Record<keyof Registries, string>> = {
  tokenizers: "Tokenizers",
  dataLoaders: "DataLoaders",
  models: "Models",
  trainers: "Trainers",
  metrics: "Metrics",
};

/** Name of the file in the project's folder, unless another is asked for. */
const TYPES_FILE = "codex-ml-env.d.ts";

/**
 * Writes, as text, what makes `get…("name", options)` typed for every component that the project's packages and the
 * project itself declare. Reads manifests and names of files, and imports no component.
 *
 * Every entry stands under `@ts-ignore`: an entry that TypeScript cannot follow (no types, no such export, a package that
 * augments `CodexMl` itself and otherwise) must leave that name as it is, not break the project's compilation. A package's own
 * augmentation goes first: its files are read before the one that imports them, and the first declaration of a property
 * decides.
 *
 * @param out Path of the file; by default `codex-ml-env.d.ts` beside the project's `package.json`.
 * @throws {UsageError} there is no project, or plugins are off, or the file is no declaration file.
 */
export function pluginTypes(out?: string, registries: Registries = globalRegistries): PluginTypes {
  const { problems, off } = listComponents(undefined, registries);
  const { root, packages } = registries.metrics.discovery.found;
  if (root === undefined) throw new UsageError("No package.json at or above the working directory.");
  if (off !== undefined) throw new UsageError(`No package was looked at: ${off}.`);
  const file = out ?? join(root, TYPES_FILE);
  if (!/\.d\.[cm]?ts$/.test(file)) throw new UsageError(`"${out}" does not end in .d.ts.`);

  const project = packages.find(({ directory }) => directory === root);
  const direct = dependenciesOf(project);
  const untyped: { component: string; reason: string }[] = [];
  let typed = 0;
  const sections = Object.entries(INTERFACES).flatMap(([key, name]) => {
    const registry: Registry<unknown> = registries[key as keyof Registries];
    const lines = registry.entries().flatMap((entry) => {
      const owner = packages.find((one) => one.name === entry.origin.package);
      if (entry.origin.kind !== "entry-point" || owner === undefined) return [];
      const target = typedTarget(owner, entry.origin.target ?? ".");
      const isOwn = owner === project;
      const module = isOwn ? relativeImport(file, join(root, target.file)) : specifier(owner, target);
      const reason = !target.typed
        ? `${isOwn ? target.file : module} has no types`
        : isOwn || direct === undefined || direct.has(owner.name)
          ? undefined
          : `${owner.name} comes through another package; depend on it to have its types everywhere`;
      if (reason === undefined) typed++;
      else untyped.push({ component: `${registry.kind.kind}/${entry.name}`, reason });
      const type = `typeof import(${JSON.stringify(module)})`;
      return namesOf(registry, entry).map((spelling) => ({
        spelling,
        note: reason,
        type: isIdentifier(target.exportName)
          ? `${type}.${target.exportName}`
          : `(${type})[${JSON.stringify(target.exportName)}]`,
      }));
    });
    return lines.length === 0 ? [] : [section(name, lines)];
  });
  const command =
    file === join(root, TYPES_FILE) ? "" : ` --out ${relative(root, file).replaceAll(sep, "/")}`;
  return { file, text: declarationFile(command, sections), typed, untyped, problems };
}

/** Every spelling that means this entry: `name`, aliases and `package/name`. Without what something else answers for. */
function namesOf(registry: Registry<unknown>, { name, aliases, origin }: RegistryEntry): readonly string[] {
  return [name, ...aliases].flatMap((key) =>
    [key, `${origin.package}/${key}`].filter((spelling) => {
      // A name of several claimants has none that answers; the folder's own package may have no name at all.
      if (!registry.has(spelling)) return false;
      try {
        const answer = registry.inspect(spelling);
        return answer.name === name && answer.origin.package === origin.package;
      } catch {
        return false;
      }
    }),
  );
}

/** What the project depends on itself; `undefined` when its manifest is not at hand. */
function dependenciesOf(project: PluginPackage | undefined): ReadonlySet<string> | undefined {
  if (project === undefined) return undefined;
  const { dependencies, optionalDependencies, devDependencies } = project.json;
  return new Set(
    [dependencies, optionalDependencies, devDependencies].flatMap((group) => Object.keys(Object(group))),
  );
}

function specifier({ name }: PluginPackage, { subpath }: TypedTarget): string {
  return `${name}${subpath.slice(1)}`;
}

/** How the declaration file imports a file of the project: `./src/metric.js` for `src/metric.ts`, whatever the settings. */
function relativeImport(from: string, file: string): string {
  const path = relative(dirname(from), file)
    .replaceAll(sep, "/")
    .replace(/(?:\.d)?\.([cm]?)tsx?$/, ".$1js");
  return path.startsWith(".") ? path : `./${path}`;
}

interface Line {
  readonly spelling: string;
  readonly type: string;
  readonly note: string | undefined;
}

function section(name: string, lines: readonly Line[]): string {
  const sorted = lines.toSorted((a, b) => (a.spelling < b.spelling ? -1 : 1));
  const text = sorted.map(
    ({ spelling, type, note }) =>
      `      // @ts-ignore${note === undefined ? "" : ` ${note}`}\n      ${isIdentifier(spelling) ? spelling : JSON.stringify(spelling)}: ${type};\n`,
  );
  return `    interface ${name} {\n${text.join("")}    }\n`;
}

function declarationFile(command: string, sections: readonly string[]): string {
  const refresh = `codex-ml plugins types${command}`;
  return `/* eslint-disable */
// biome-ignore-all lint: generated
// Generated by \`${refresh}\`: the types of the components that this project's plugins bring.
// Do not edit; run the command again when plugins change. With --check it fails when this file is out of date.
// What TypeScript finds no types for takes any options: @ts-ignore keeps that from being an error.

declare global {
  namespace CodexMl {
${sections.join("\n")}  }
}

export {};
`;
}

function isIdentifier(text: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(text);
}
