import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { describeError, quote } from "./display.ts";
import {
  type Declaration,
  type Manifest,
  normalizePin,
  type PluginSelection,
  readManifest,
} from "./manifest.ts";
import { isPackageName } from "./names.ts";
import { packageLabel } from "./origin.ts";
import { OWN_NAME, ownVersion } from "./own-package.ts";
import { findRoot, isRecord, locatePackage, type PackageJson, readPackageJson } from "./packages.ts";
import { parseTarget, resolveTarget } from "./target.ts";

/** Something that keeps a package or one of its components from working; the others work on. */
export interface PluginProblem {
  readonly package: string | undefined;
  readonly version: string | undefined;
  /** Path of the `package.json` in question. */
  readonly location: string | undefined;
  readonly message: string;
  readonly cause?: unknown;
  /** The components that this concerns, where it is not the whole package. */
  readonly components?: readonly { readonly group: string; readonly name: string }[];
}

/** A package that declares components. */
export interface PluginPackage {
  /** The name that the project imports it by. */
  readonly name: string;
  readonly version: string | undefined;
  readonly directory: string;
  readonly declarations: readonly Declaration[];
}

/** What the manifests of a project say. */
export interface Discovered {
  /** Folder of the project; `undefined` when there is no `package.json` above the working directory. */
  readonly root: string | undefined;
  /** Why nothing was looked for, when plugins are off. */
  readonly off: string | undefined;
  readonly packages: readonly PluginPackage[];
  readonly pins: ReadonlyMap<string, string>;
  readonly problems: readonly PluginProblem[];
}

export interface DiscoveryOptions {
  /** Folder to look from; the nearest `package.json` at or above it is the project's. By default the working directory. */
  readonly root?: string;
  /** Narrows what the project's own `codexMl.plugins` allows; it never widens it. */
  readonly plugins?: PluginSelection;
  /** Which package answers for a name, by `metrics/toy_metric`; goes before the project's own `codexMl.pins`. */
  readonly pins?: Readonly<Record<string, string>>;
}

/**
 * Finds the components that the packages of a project declare: the project itself, what it depends on directly, and what
 * those forward. Reads `package.json` files and imports nothing. Several registries share one.
 */
export class Discovery {
  #options: DiscoveryOptions;
  #found: Discovered | undefined;

  constructor(options: DiscoveryOptions = {}) {
    this.#options = checkOptions(options);
  }

  /** What there is; read once, at the first question, and kept until `refresh`. */
  get found(): Discovered {
    this.#found ??= new Search(this.#options).run();
    return this.#found;
  }

  /** Adds to the options (a run file's pins, for example) and forgets what was read. */
  configure(options: DiscoveryOptions): void {
    this.#options = checkOptions({ ...this.#options, ...options });
    this.refresh();
  }

  /** Forgets what was read, so that the next question sees what was installed meanwhile. */
  refresh(): void {
    this.#found = undefined;
  }
}

function checkOptions(options: DiscoveryOptions): DiscoveryOptions {
  for (const key of Object.keys(options.pins ?? {})) normalizePin(key);
  return options;
}

/** A package that may be a plugin. */
interface Candidate {
  readonly name: string;
  /** Folder that it is resolved from. */
  readonly from: string;
  /** Whether it is a problem when it is not installed. */
  readonly wanted: boolean;
  readonly declaredIn: string;
}

/** One pass over the manifests. */
class Search {
  readonly #options: DiscoveryOptions;
  readonly #packages: PluginPackage[] = [];
  readonly #problems: PluginProblem[] = [];
  /** Packages by name as they were first met: the copy nearest to the root is the one. */
  readonly #met = new Map<string, { readonly directory: string; readonly version: string | undefined }>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  run(): Discovered {
    const pins = new Map(
      Object.entries(this.#options.pins ?? {}).map(([key, name]) => [normalizePin(key), name]),
    );
    const found = { packages: this.#packages, problems: this.#problems, pins };
    const root = findRoot(resolve(this.#options.root ?? process.cwd()));
    const json = root === undefined ? undefined : this.#read(undefined, root);
    if (root === undefined || json === undefined) return { ...found, root, off: this.#off("auto", "") };
    const name = typeof json.name === "string" ? json.name : "(root)";
    const manifest = this.#manifest(name, root, json);
    // Pins are read even when plugins are off: a pinned name must then fail, not quietly mean something else.
    for (const [key, owner] of manifest.pins) if (!pins.has(key)) pins.set(key, owner);
    const off = this.#off(manifest.plugins, join(root, "package.json"));
    if (off !== undefined) return { ...found, root, off };
    this.#add(name, root, json, manifest);
    this.#dependencies(root, json, [manifest.plugins, this.#options.plugins ?? "auto"]);
    return { ...found, root, off };
  }

  /** Why nothing is to be looked for, if so. */
  #off(declared: PluginSelection, location: string): string | undefined {
    if (this.#options.plugins === false) return "this program or run asked for no plugins";
    if (declared === false) return `"codexMl.plugins" is false in ${location}`;
    const variable = process.env.CODEX_ML_PLUGINS?.trim().toLowerCase() ?? "";
    if (variable === "" || variable === "auto") return undefined;
    // Whoever sets it wants less to happen: what we do not understand is taken as "off", and said.
    if (variable !== "off")
      this.#report({}, `CODEX_ML_PLUGINS is ${quote(variable)}, not "off" or "auto"; taken as "off"`);
    return `the environment has CODEX_ML_PLUGINS=${variable}`;
  }

  #dependencies(root: string, json: PackageJson, selections: readonly PluginSelection[]): void {
    const location = join(root, "package.json");
    const required = keysOf(json.dependencies);
    const optional = keysOf(json.optionalDependencies);
    const direct = new Set([...required, ...optional, ...keysOf(json.devDependencies)]);
    const lists = selections.filter((selection) => Array.isArray(selection));
    for (const name of new Set(lists.flat()))
      if (!direct.has(name))
        this.#report({ location }, `the list "plugins" names ${quote(name)}, which is no direct dependency`);
    const queue: Candidate[] = [];
    for (const name of direct) {
      if (!lists.every((list) => list.includes(name))) continue;
      // Optional and development dependencies are often left out on purpose; the others are missed.
      const wanted = lists.length > 0 || (required.includes(name) && !optional.includes(name));
      queue.push({ name, from: root, wanted, declaredIn: location });
    }
    // Breadth first, so that what the project itself depends on is met before what a plugin forwards.
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) queue.push(...this.#visit(next));
  }

  /** Reads one package; gives those that it forwards. */
  #visit({ name, from, wanted, declaredIn }: Candidate): Candidate[] {
    const directory = isPackageName(name) ? locatePackage(name, from) : undefined;
    if (directory === undefined) {
      if (wanted)
        this.#report({ package: name, location: declaredIn }, `not installed, though ${declaredIn} names it`);
      return [];
    }
    const met = this.#met.get(name);
    if (met?.directory === directory) return [];
    const json = this.#read(name, directory);
    if (json === undefined || json.codexMl === undefined) return [];
    if (met !== undefined) {
      const kept = packageLabel(name, met.version);
      this.#report(
        { package: name, location: declaredIn },
        `a second copy in ${directory} is left out; ${kept} in ${met.directory} is used`,
      );
      return [];
    }
    const manifest = this.#manifest(name, directory, json);
    this.#add(name, directory, json, manifest);
    const forwards = Array.isArray(manifest.plugins) ? (manifest.plugins as readonly string[]) : [];
    const shared = { from: directory, wanted: true, declaredIn: join(directory, "package.json") };
    return forwards.map((forwarded) => ({ name: forwarded, ...shared }));
  }

  #read(name: string | undefined, directory: string): PackageJson | undefined {
    try {
      return readPackageJson(directory);
    } catch (cause) {
      const location = join(directory, "package.json");
      this.#report({ package: name, location, cause }, `cannot read ${location}: ${describeError(cause)}`);
      return undefined;
    }
  }

  #manifest(name: string, directory: string, json: PackageJson): Manifest {
    const about = { package: name, version: versionOf(json), location: join(directory, "package.json") };
    return readManifest(json.codexMl, (message, component) =>
      this.#report({ ...about, ...(component === undefined ? {} : { components: [component] }) }, message),
    );
  }

  #add(name: string, directory: string, json: PackageJson, { declarations }: Manifest): void {
    const version = versionOf(json);
    this.#met.set(name, { directory, version });
    if (declarations.length === 0) return;
    const about = { package: name, version, location: join(directory, "package.json") };
    const range = isRecord(json.peerDependencies) ? json.peerDependencies[OWN_NAME] : undefined;
    const own = ownVersion();
    if (typeof range === "string" && own !== undefined && !fitsRange(own, range)) {
      const message = `needs ${OWN_NAME} ${range}, and this is ${own}; its components are left out`;
      this.#report({ ...about, components: declarations }, message);
      return;
    }
    for (const declaration of declarations) {
      try {
        resolveTarget(directory, parseTarget(declaration.target));
      } catch (cause) {
        const message = `${declaration.group}, ${quote(declaration.name)}: ${describeError(cause)}`;
        this.#report({ ...about, cause, components: [declaration] }, message);
      }
    }
    this.#packages.push({ name, version, directory, declarations });
  }

  #report(about: Partial<PluginProblem>, message: string): void {
    const label = about.package === undefined ? "" : `${packageLabel(about.package, about.version)}: `;
    this.#problems.push({
      package: undefined,
      version: undefined,
      location: undefined,
      ...about,
      message: label + message,
    });
  }
}

function keysOf(group: unknown): readonly string[] {
  return isRecord(group) ? Object.keys(group) : [];
}

function versionOf(json: PackageJson): string | undefined {
  return typeof json.version === "string" ? json.version : undefined;
}

const require = createRequire(import.meta.url);

/** Whether our version fits a peer range; ranges that only a package manager understands (`file:…`) fit. */
function fitsRange(version: string, range: string): boolean {
  const validRange = require("semver/ranges/valid.js") as typeof import("semver/ranges/valid.js");
  const satisfies =
    require("semver/functions/satisfies.js") as typeof import("semver/functions/satisfies.js");
  const plain = range.replace(/^workspace:/, "");
  return validRange(plain) === null || satisfies(version, plain, { includePrerelease: true });
}
