import { execFile } from "node:child_process";
import { isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

// A frame ends in `(path:line:column)` or `at path:line:column`; a syntax error's stack begins with `path:line` alone.
const PLACE =
  /(?:^|\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/]).+?)(?:\?[^:\s]*)?:(\d+)(?::\d+)?\)?$/gm;

/**
 * `file:line` where a package's own code stands nearest to what was thrown: the throw itself, or the call that led to it.
 * Undefined when no line of the stack lies in the package, or what was thrown is no error.
 */
export function thrownAt(error: unknown, directory: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  for (const [, path = "", line] of (error.stack ?? "").matchAll(PLACE)) {
    const file = path.startsWith("file://") ? fileURLToPath(path) : path;
    const inside = relative(directory, file);
    const isOwn =
      !isAbsolute(inside) && !inside.startsWith("..") && !inside.split(sep).includes("node_modules");
    if (isOwn) return `${file}:${line}`;
  }
  return thrownAt(error.cause, directory);
}

/**
 * `file:line` of a syntax error in a module. Node keeps that from whoever catches the error, and tells it on stderr when
 * it is asked to check the file, which runs nothing.
 */
export async function syntaxErrorAt(file: string): Promise<string | undefined> {
  const stderr = await new Promise<string>((resolve) => {
    execFile(process.execPath, ["--check", file], (_error, _stdout, text) => resolve(text));
  });
  const [first = ""] = stderr.split("\n");
  const [, path = "", line] = /^(.+):(\d+)$/.exec(first) ?? [];
  if (line === undefined) return undefined;
  return `${path.startsWith("file://") ? fileURLToPath(path) : path}:${line}`;
}
