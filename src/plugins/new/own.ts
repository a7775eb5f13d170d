import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The parts of our own `package.json` that a new package repeats. */
export interface OwnManifest {
  readonly name: string;
  readonly version: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** By our own name: the same file from the source and from the build. */
const manifestFile = createRequire(import.meta.url).resolve("codex-ml/package.json");

export const templatesFolder: string = join(dirname(manifestFile), "templates");

export function ownManifest(): OwnManifest {
  return JSON.parse(readFileSync(manifestFile, "utf8")) as OwnManifest;
}
