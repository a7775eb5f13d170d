import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publint, type Result } from "publint";
import { formatMessage, getPkgPathValue } from "publint/utils";
import { describeError, parseTarget, readManifest, resolveTarget } from "../../packages/index.ts";
import { about, type Finding, type OwnPackage } from "./finding.ts";

/** What publint finds: `exports`, types and module formats that do not work for everybody. */
export async function packagingFindings(own: OwnPackage, published: ReadonlySet<string>): Promise<Finding[]> {
  let result: Result;
  try {
    result = await lint(own.directory, published);
  } catch (error) {
    return [
      {
        ...about(own),
        code: "PUBLINT_FAILED",
        severity: "warning",
        message: `publint cannot make sense of its package.json: ${describeError(error)}`,
        fix: 'correct "exports" and the other fields that name files',
      },
    ];
  }
  const { messages, pkg } = result;
  const told = brokenSubpaths(own);
  return messages.flatMap((message): Finding[] => {
    const { code, path, type } = message;
    if (code === "FILE_DOES_NOT_EXIST") {
      // Told as a target that leads nowhere, or as a file that is not published.
      const file: unknown = getPkgPathValue(pkg, path);
      const isThere = typeof file === "string" && existsSync(join(own.directory, file));
      if (isThere || (path[0] === "exports" && told.has(path[1] ?? ""))) return [];
    }
    return [
      {
        ...about(own),
        code: `PUBLINT_${code}`,
        severity: type === "error" ? "error" : "warning",
        message: formatMessage(message, pkg, { color: false }) ?? code,
        fix: `see https://publint.dev/rules#${code.toLowerCase()}`,
      },
    ];
  });
}

/** Shows publint what would be published and nothing else: left alone, it walks through all that lies in the folder. */
function lint(directory: string, published: ReadonlySet<string>): Promise<Result> {
  const files = [...published].map((file) => ({
    name: join(directory, file),
    // Of the rest only the names matter, and it may be large.
    data: /\.([cm]?[jt]sx?|json)$/.test(file) ? readFileSync(join(directory, file)) : "",
  }));
  return publint({ pkgDir: directory, level: "warning", pack: { files } });
}

/** Subpaths of targets that lead to no file, which the registries list. */
function brokenSubpaths({ directory, json }: OwnPackage): ReadonlySet<string> {
  const broken = new Set<string>();
  for (const { target } of readManifest(json.codexMl, () => {}).declarations)
    try {
      resolveTarget(directory, target, json);
    } catch {
      broken.add(parseTarget(target).subpath);
    }
  return broken;
}
