import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package that this code belongs to: what built-ins come from, and what plugins have as their peer. */
export const OWN_NAME = "codex-ml";

let version: { readonly known: string | undefined } | undefined;

/** Our version, or `undefined` where we were bundled into another program and lost our `package.json`. */
export function ownVersion(): string | undefined {
  version ??= { known: readOwnVersion() };
  return version.known;
}

function readOwnVersion(): string | undefined {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    try {
      const json: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
      const { name, version } = json as { name?: unknown; version?: unknown };
      return name === OWN_NAME && typeof version === "string" ? version : undefined;
    } catch {
      if (directory === dirname(directory)) return undefined;
    }
  }
}
