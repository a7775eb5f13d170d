import { join, resolve } from "node:path";
import { describeError, packageLabel, quote } from "./display.ts";
import { type Manifest, normalizePin, type PluginSelection, readManifest } from "./manifest.ts";
import { isPackageName } from "./names.ts";
import {
  below,
  findRoot,
  fitsRange,
  importedPath,
  isRecord,
  locatePackage,
  OWN_NAME,
  ownVersion,
  type PackageJson,
  readPackageJson,
  resolveTarget,
} from "./packages.ts";

/** What kind of problem it is. Stable, unlike the messages. */
export type PluginProblemCode =
  | "ENVIRONMENT_UNKNOWN"
  | "LISTED_NOT_DEPENDED_ON"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNREADABLE"
  | "NAME_CONFLICT"
  | "NOT_INSTALLED"
  | "PEER_RANGE_UNMET"
  | "PIN_UNMET"
  | "SECOND_COPY"
  | "TARGET_NOT_FOUND";

/** Something that keeps a package or one of its components from working; the others work on. */
export interface PluginProblem {
  readonly code: PluginProblemCode;
  readonly package: string | undefined;
  readonly version: string | undefined;
  /** Path of the `package.json` in question. */
  readonly location: string | undefined;
  readonly message: string;
  readonly cause?: unknown;
  /** The components that this concerns, where it is not the whole package. */
  readonly components?: readonly { readonly group: string; readonly name: string }[] | undefined;
}

/** A package with a field `codexMl`, or the project itself. */
export interface PluginPackage extends Manifest {
  /** The name that the project imports it by. */
  readonly name: string;
  readonly version: string | undefined;
  readonly directory: string;
  /** Path of its `package.json`, and what is in it. */
  readonly location: string;
  readonly json: PackageJson;
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
  #options: DiscoveryOptions = {};
  #found: Discovered | undefined;

  constructor(options: DiscoveryOptions = {}) {
    this.configure(options);
  }

  /** What there is; read once, at the first question, and kept until `refresh`. */
  get found(): Discovered {
    this.#found ??= new Discovered(this.#options);
    return this.#found;
  }

  /** Adds to the options (a run file's pins, for example) and forgets what was read. */
  configure(options: DiscoveryOptions): void {
    for (const key of Object.keys(options.pins ?? {})) normalizePin(key); // Throws before anything has changed.
    this.#options = { ...this.#options, ...options };
    this.refresh();
  }

  /** Forgets what was read, so that the next question sees what was installed meanwhile. */
  refresh(): void {
    this.#found = undefined;
  }
}

/** What the manifests of a project say, from one pass over them. */
export class Discovered {
  /** Folder of the project; `undefined` when there is no `package.json` above the working directory. */
  readonly root: string | undefined;
  /** Why nothing was looked for, when plugins are off. */
  readonly off: string | undefined;
  /** Those whose components can be used. */
  readonly packages: PluginPackage[] = [];
  readonly pins = new Map<string, string>();
  readonly #problems: PluginProblem[] = [];
  /** Those whose targets have not been looked at. */
  readonly #unchecked: PluginPackage[] = [];
  /** Direct dependencies that a list of plugins leaves out, unread, and which list that is. */
  readonly leftOut = new Map<string, string>();
  /** Real paths of the folders that packages lie in. */
  readonly #folders = new Map<string, string>();
  /** Packages by name as they were first met: the copy nearest to the root is the one. */
  readonly #met = new Map<string, PluginPackage>();

  constructor({ root, plugins = "auto", pins = {} }: DiscoveryOptions) {
    this.root = findRoot(resolve(root ?? process.cwd()));
    const project = this.root === undefined ? undefined : this.#read(this.root);
    // The project's pins hold even when plugins are off: a pinned name must then fail, not quietly mean something else.
    for (const [key, owner] of project?.pins ?? []) this.pins.set(key, owner);
    for (const [key, owner] of Object.entries(pins)) this.pins.set(normalizePin(key), owner);
    this.off = this.#whyOff(plugins, project);
    if (this.off === undefined && project !== undefined) this.#follow(project, plugins);
  }

  /** What stands in the way of packages and components. Only whoever asks this makes targets be looked at. */
  get problems(): readonly PluginProblem[] {
    for (const plugin of this.#unchecked.splice(0)) this.#checkTargets(plugin);
    return this.#problems;
  }

  #whyOff(plugins: PluginSelection, project: PluginPackage | undefined): string | undefined {
    if (plugins === false) return "this program or run asked for no plugins";
    if (project?.plugins === false) return `"codexMl.plugins" is false in ${project.location}`;
    const variable = process.env.CODEX_ML_PLUGINS?.trim().toLowerCase() ?? "";
    if (variable === "" || variable === "auto") return undefined;
    // Whoever sets it wants less to happen: what we do not understand is taken as "off", and said.
    if (variable !== "off")
      this.#report(
        {},
        "ENVIRONMENT_UNKNOWN",
        `CODEX_ML_PLUGINS is ${quote(variable)}, not "off" or "auto"; taken as "off"`,
      );
    return `the environment has CODEX_ML_PLUGINS=${variable}`;
  }

  /** Takes the project, what it depends on directly as far as every list allows it, and what that forwards. */
  #follow(project: PluginPackage, selection: PluginSelection): void {
    this.#accept(project);
    const required = keysOf(project.json.dependencies);
    const optional = keysOf(project.json.optionalDependencies);
    const direct = new Set([...required, ...optional, ...keysOf(project.json.devDependencies)]);
    const lists = new Map<readonly string[], string>();
    if (Array.isArray(project.plugins))
      lists.set(project.plugins, `"codexMl.plugins" in ${project.location}`);
    if (Array.isArray(selection)) lists.set(selection, 'the list "plugins" of this program or run');
    for (const name of new Set([...lists.keys()].flat()))
      if (!direct.has(name))
        this.#report(
          { location: project.location },
          "LISTED_NOT_DEPENDED_ON",
          `the list "plugins" names ${quote(name)}, which is no direct dependency`,
        );
    const queue = [...direct].flatMap((name) => {
      // Optional and development dependencies are often left out on purpose; the others are missed.
      const missed = lists.size > 0 || (required.has(name) && !optional.has(name));
      const [, list] = [...lists].find(([names]) => !names.includes(name)) ?? [];
      if (list === undefined) return [{ name, by: project, missed }];
      this.leftOut.set(name, list);
      return [];
    });
    // Breadth first (the loop sees what it adds), so that what the project itself depends on is met before the rest.
    for (const { name, by, missed } of queue) {
      const plugin = this.#visit(name, by, missed);
      if (plugin === undefined || !Array.isArray(plugin.plugins)) continue;
      for (const forwarded of plugin.plugins) queue.push({ name: forwarded, by: plugin, missed: true });
    }
  }

  /** Takes the package that `by` names, if it is a plugin and none of that name has been met. */
  #visit(name: string, by: PluginPackage, missed: boolean): PluginPackage | undefined {
    const about = { name, location: by.location };
    const located = isPackageName(name) ? locatePackage(name, by.directory) : undefined;
    if (located === undefined && missed)
      this.#report(about, "NOT_INSTALLED", `not installed, though ${by.location} names it`);
    const plugin = located === undefined ? undefined : this.#read(located, name);
    const met = this.#met.get(name);
    if (plugin === undefined || met?.directory === plugin.directory) return undefined;
    if (met === undefined) return this.#accept(plugin);
    const used = `${packageLabel(name, met.version)} in ${met.directory} is used`;
    this.#report(about, "SECOND_COPY", `a second copy in ${plugin.directory} is left out; ${used}`);
    return undefined;
  }

  /** Reads a `package.json`; gives nothing for a package, other than the project, without the field `codexMl`. */
  #read(located: string, name?: string): PluginPackage | undefined {
    try {
      const json = readPackageJson(located);
      if (name !== undefined && json.codexMl === undefined) return undefined;
      const directory = importedPath(located, this.#folders);
      const about = {
        name: name ?? (typeof json.name === "string" ? json.name : "(root)"),
        version: typeof json.version === "string" ? json.version : undefined,
        location: below(directory, "package.json"),
      };
      const manifest = readManifest(json.codexMl, (problem, component) =>
        this.#report(about, "MANIFEST_INVALID", problem, { components: component && [component] }),
      );
      return { ...manifest, ...about, directory, json };
    } catch (cause) {
      const location = join(located, "package.json");
      this.#report(
        { name, location },
        "MANIFEST_UNREADABLE",
        `cannot read ${location}: ${describeError(cause)}`,
        { cause },
      );
      return undefined;
    }
  }

  /** Takes what a package declares, unless it is made for another version of ours. */
  #accept(plugin: PluginPackage): PluginPackage {
    const { name, declarations, json } = plugin;
    this.#met.set(name, plugin);
    const range = isRecord(json.peerDependencies) ? json.peerDependencies[OWN_NAME] : undefined;
    if (declarations.length > 0 && typeof range === "string" && !fitsRange(range)) {
      const problem = `needs ${OWN_NAME} ${range}, and this is ${ownVersion()}; its components are left out`;
      this.#report(plugin, "PEER_RANGE_UNMET", problem, { components: declarations });
      return plugin;
    }
    this.packages.push(plugin);
    this.#unchecked.push(plugin);
    return plugin;
  }

  #checkTargets(plugin: PluginPackage): void {
    const { directory, declarations, json } = plugin;
    for (const declaration of declarations)
      try {
        resolveTarget(directory, declaration.target, json);
      } catch (cause) {
        const problem = `${declaration.group}, ${quote(declaration.name)}: ${describeError(cause)}`;
        this.#report(plugin, "TARGET_NOT_FOUND", problem, { cause, components: [declaration] });
      }
  }

  #report(
    {
      name,
      version,
      location,
    }: { name?: string | undefined; version?: string | undefined; location?: string },
    code: PluginProblemCode,
    problem: string,
    details: Pick<PluginProblem, "cause" | "components"> = {},
  ): void {
    const message = name === undefined ? problem : `${packageLabel(name, version)}: ${problem}`;
    this.#problems.push({ code, package: name, version, location, message, ...details });
  }
}

function keysOf(group: unknown): ReadonlySet<string> {
  return new Set(isRecord(group) ? Object.keys(group) : []);
}
