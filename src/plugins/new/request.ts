import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import validateNpmName from "validate-npm-package-name";
import { closestNames, normalizeName, type RegistryKind } from "../../registry/index.ts";
import { globalRegistries } from "../../run/registries.ts";
import { UsageError } from "../../run/usage-error.ts";

/** What somebody asks for, as they wrote it. */
export interface PluginRequest {
  readonly kind: string;
  readonly name: string;
  /** Default: `codex-ml-` and the component's name. */
  readonly package?: string | undefined;
  /** Default: the package's name without its scope. */
  readonly directory?: string | undefined;
}

/** What will be written, and where. */
export interface PluginPlan {
  readonly kind: PluginKind;
  /** What run files call the component, in the registry's spelling. */
  readonly name: string;
  readonly package: string;
  /** Absolute path. */
  readonly directory: string;
}

/** A kind of component by the word that one is asked for with. */
export interface PluginKind extends Pick<RegistryKind<unknown>, "noun" | "group" | "builtins"> {
  /** `data-loader`; its templates are in the folder of this name. */
  readonly word: string;
}

/** The kinds, in the order of a run file. */
export const pluginKinds: readonly PluginKind[] = Object.values(globalRegistries).map(
  ({ kind: { noun, group, builtins } }) => ({ word: noun.replaceAll(" ", "-"), noun, group, builtins }),
);

/**
 * Whether a request can be fulfilled, and what it comes to. Looks whether the folder is free; writes nothing.
 *
 * @throws UsageError, or the registry's RegistryNameError, that says what is wrong and what to write instead.
 */
export function planPlugin(request: PluginRequest, cwd: string = process.cwd()): PluginPlan {
  const kind = findKind(request.kind);
  const name = freeName(kind, request.name);
  const packageName = packageNameOf(request.package ?? defaultPackage(name));
  const directory = resolve(cwd, request.directory ?? packageName.slice(packageName.indexOf("/") + 1));
  checkFree(directory);
  return { kind, name, package: packageName, directory };
}

/** Singular or plural, with `-` or `_`: what `plugins list` and run files call the kinds is understood too. */
export function findKind(given: string): PluginKind {
  const word = given.trim().toLowerCase().replaceAll("_", "-");
  const kind = pluginKinds.find((one) => word === one.word || word === `${one.word}s`);
  if (kind !== undefined) return kind;
  const words = pluginKinds.map((one) => one.word);
  const [closest] = closestNames(word, words);
  const hint = closest === undefined ? "" : ` Did you mean "${closest}"?`;
  throw new UsageError(`There is no kind "${given}"; the kinds are ${words.join(", ")}.${hint}`);
}

/** The registry's spelling of a name that no built-in has. */
export function freeName(kind: PluginKind, given: string): string {
  if (given.includes("/")) {
    const own = given.slice(given.lastIndexOf("/") + 1);
    throw new UsageError(
      `"${given}" is not the name of a component: it has a "/". Give what run files are to call it${own === "" ? "" : `, such as ${own}`}; the package's name comes with --package.`,
    );
  }
  const name = normalizeName(given);
  const builtin = Object.entries(kind.builtins).find(
    ([own, { aliases = [] }]) => own === name || aliases.includes(name),
  );
  if (builtin === undefined) return name;
  const spelling = builtin[0] === name ? "" : ` (as another name of ${builtin[0]})`;
  throw new UsageError(
    `The ${kind.noun} "${name}" is built in${spelling} and would answer for the name in every run file. Choose another name.`,
  );
}

/** `accuracy@token` → `codex-ml-accuracy-token`. */
export function defaultPackage(name: string): string {
  return `codex-ml-${name.replaceAll(/[^a-z0-9]+/g, "-").replace(/-$/, "")}`;
}

/** What a new package depends on. npm installs nothing under the name of the package that asks for it. */
const NEEDED: readonly string[] = ["codex-ml", "zod", "typescript", "@types/node"];

/** @throws UsageError when npm would not publish a package of this name, or could not install it beside what it needs. */
function packageNameOf(given: string): string {
  const { validForNewPackages, errors = [], warnings = [] } = validateNpmName(given);
  if (!validForNewPackages)
    throw new UsageError(`"${given}" cannot be a package's name: ${[...errors, ...warnings].join("; ")}.`);
  if (NEEDED.includes(given))
    throw new UsageError(
      `"${given}" is a package that yours will depend on. Choose another name with --package.`,
    );
  return given;
}

/** What a folder may have and still be written to: that of a repository which was just made. */
const HARMLESS: readonly string[] = [".git"];

function checkFree(directory: string): void {
  const advice = "Choose another folder with --dir.";
  let entries: string[];
  try {
    entries = readdirSync(directory).filter((entry) => !HARMLESS.includes(entry));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    throw new UsageError(`${directory} cannot be the folder of a package: ${message}. ${advice}`, { cause });
  }
  if (entries.length === 0) return;
  const shown = entries.slice(0, 3).join(", ");
  const more = entries.length > 3 ? ` and ${entries.length - 3} more` : "";
  throw new UsageError(`${directory} is there already, and not empty: it has ${shown}${more}. ${advice}`);
}
