import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A `package.json`, and files by their path in the package. */
export interface PackageSource {
  readonly manifest: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A folder in which real packages are packed by npm and installed by npm, without a network.
 *
 * One installation serves many projects: each is a folder in it with its own `package.json`, which finds the packages by
 * walking up, as a workspace member does.
 */
export class Installation {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-packages-")));
  #projects = 0;

  /** Packs the packages and installs the archives; all of them become direct dependencies of `directory`. */
  install(sources: readonly PackageSource[]): void {
    const folders = sources.map((source, index) => {
      const folder = join(this.directory, ".sources", String(index));
      writeFiles(folder, { "package.json": toJson(source.manifest), ...source.files });
      return folder;
    });
    const archives = join(this.directory, ".archives");
    mkdirSync(archives, { recursive: true });
    const packed = this.#npm(this.directory, ["pack", "--json", "--pack-destination", archives, ...folders]);
    const names = (JSON.parse(packed) as { filename: string }[]).map(({ filename }) =>
      join(archives, filename),
    );
    writeFiles(this.directory, { "package.json": toJson({ name: "all", private: true }) });
    // The peer `codex-ml` is this checkout and cannot be installed without a registry.
    this.#npm(this.directory, [
      "install",
      "--offline",
      "--no-audit",
      "--no-fund",
      "--legacy-peer-deps",
      ...names,
    ]);
  }

  /** An npm workspace of its own, installed: its members are linked into `node_modules`, whoever depends on them. */
  workspace(manifest: Readonly<Record<string, unknown>>, members: readonly PackageSource[]): string {
    const folder = realpathSync(mkdtempSync(join(this.directory, "workspace-")));
    for (const { manifest, files } of members)
      writeFiles(join(folder, "members", manifest.name), { "package.json": toJson(manifest), ...files });
    writeFiles(folder, {
      "package.json": toJson({ name: "workspace", workspaces: ["members/*"], ...manifest }),
    });
    this.#npm(folder, ["install", "--offline", "--no-audit", "--no-fund"]);
    return folder;
  }

  /** A project of its own, with these direct dependencies; the rest of the installation is transitive to it. */
  project(manifest: Readonly<Record<string, unknown>>, files: Readonly<Record<string, string>> = {}): string {
    const folder = join(this.directory, "projects", String(this.#projects++));
    writeFiles(folder, { "package.json": toJson({ name: "project", ...manifest }), ...files });
    return folder;
  }

  /** Overwrites a file of an installed package. */
  damage(name: string, file: string, text: string): void {
    writeFileSync(join(this.directory, "node_modules", name, file), text);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #npm(cwd: string, args: readonly string[]): string {
    // What `npm test` sets for us would send the inner npm to this repository.
    const inherited = Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key));
    const env = { ...Object.fromEntries(inherited), npm_config_cache: join(this.directory, ".cache") };
    return execFileSync("npm", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
