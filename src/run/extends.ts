import { resolve } from "node:path";
import { describeValue } from "../packages/index.ts";
import { isRecord } from "./check-config.ts";
import { type Layer, type Merged, mergeOver } from "./layers.ts";
import { isPlain } from "./plain-json.ts";
import { type ConfigPath, displayPath, RunFileError, type RunFileProblem } from "./problems.ts";
import { readLayer } from "./read-layer.ts";

/**
 * A layer over all that it extends: the files that its `extends` names, relative to its own, the last over the ones before,
 * and what those extend in turn.
 *
 * @throws {RunFileError} with the mistakes of all files at once, when one cannot be read, or extends itself.
 */
export async function withBases(layer: Layer): Promise<Merged> {
  const problems: RunFileProblem[] = [];
  const merged = await extended(layer, [], problems);
  if (problems.length > 0) throw new RunFileError(problems);
  return merged;
}

/**
 * @param chain Paths of the files that led here.
 */
async function extended(layer: Layer, chain: readonly string[], problems: RunFileProblem[]): Promise<Merged> {
  const { value } = layer;
  if (!isRecord(value) || !isPlain(value)) return { value, owner: { layer } };
  // `$schema` is for the editor of a JSON file.
  const { extends: bases, $schema: _, ...own } = value;
  if (bases === undefined) return { value: own, owner: { layer } };
  const say = (path: ConfigPath, message: string, more: Partial<RunFileProblem> = {}) =>
    problems.push({ file: layer.label, ...layer.locate?.(path, "value"), path, message, ...more });
  let merged: Merged | undefined;
  for (const { path, base } of namedBases(bases, say)) {
    const absolute = resolve(layer.folder, base);
    const walked = layer.path === undefined ? chain : [...chain, layer.path];
    if (walked.includes(absolute)) {
      const circle = [...walked.slice(walked.indexOf(absolute)), absolute].map(displayPath).join(" → ");
      say(path, `a file cannot extend itself: ${circle}`);
      continue;
    }
    try {
      const below = await extended(await readLayer(absolute), walked, problems);
      merged = merged === undefined ? below : mergeOver(merged, below);
    } catch (error) {
      if (!(error instanceof RunFileError)) throw error;
      // What is wrong with the file as such is told where it is asked for; what is wrong in its text, there.
      for (const { message, line, ...problem } of error.problems)
        if (line !== undefined) problems.push({ message, line, ...problem });
        else
          say(
            path,
            `cannot extend ${base}: ${message}`,
            problem.closest === undefined ? {} : { closest: problem.closest },
          );
    }
  }
  const top: Merged = { value: own, owner: { layer } };
  return merged === undefined ? top : mergeOver(merged, top);
}

function namedBases(
  value: unknown,
  say: (path: ConfigPath, message: string) => void,
): readonly { readonly path: ConfigPath; readonly base: string }[] {
  if (typeof value === "string" && value !== "") return [{ path: ["extends"], base: value }];
  if (Array.isArray(value) && value.length > 0) {
    const bases = value.map((base: unknown, index) => ({ path: ["extends", index], base }));
    for (const { path, base } of bases)
      if (typeof base !== "string" || base === "")
        say(path, `expected the path of a run file, got ${describeValue(base)}`);
    return bases.filter(
      (one): one is { path: ["extends", number]; base: string } =>
        typeof one.base === "string" && one.base !== "",
    );
  }
  say(["extends"], `expected the path of a run file, or a list of such paths, got ${describeValue(value)}`);
  return [];
}
