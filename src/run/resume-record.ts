import { randomUUID } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRecord } from "./check-config.ts";
import { disk, remedy, writeDurably } from "./file-system.ts";
import { displayPath } from "./problems.ts";
import { runYaml } from "./resolved.ts";
import type { RunDirectory } from "./run-directory.ts";
import type { RunFile } from "./run-file.ts";
import { type Resumption, RunDirectoryError, type RunManifest, writeManifest } from "./run-manifest.ts";
import { parseYaml } from "./yaml-source.ts";

/**
 * Writes down that a run goes on, and what is another: into `run.yaml` and the manifest. Each is replaced whole; should the
 * process die in between, the next comparison with the checkpoint finds the change again.
 *
 * @param replaced Slots that a program filled with objects: those are not for a file.
 * @throws {RunDirectoryError} when the directory cannot be written to.
 */
export async function recordResumption(
  directory: RunDirectory,
  runFile: RunFile,
  { step, changes, forced }: Pick<Resumption, "step" | "changes" | "forced">,
  replaced: readonly string[] = [],
): Promise<RunManifest> {
  const entry: Resumption = {
    at: new Date().toISOString(),
    step,
    ...(changes?.length && { changes }),
    ...(forced?.length && { forced }),
  };
  const manifest: RunManifest = {
    ...directory.manifest,
    resumed: [...(directory.manifest.resumed ?? []), entry],
  };
  try {
    await rewriteRunFile(directory, runFile, replaced);
    await writeManifest(directory.path, manifest);
  } catch (cause) {
    throw new RunDirectoryError(
      "RUN_DIRECTORY_CREATE",
      `cannot write to the run directory ${displayPath(directory.path)}: ${remedy(cause)}`,
      { cause },
    );
  }
  return manifest;
}

async function rewriteRunFile(
  { path, runFile: target }: RunDirectory,
  runFile: RunFile,
  replaced: readonly string[],
): Promise<void> {
  const { value, overrides } = runFile.written;
  if (overrides.length === 0) return;
  const before = parseYaml(await readFile(target, "utf8")).value;
  const kept = Object.entries(isRecord(before) ? before : {}).filter(([key]) => replaced.includes(key));
  const written = { ...(value as object), ...Object.fromEntries(kept) };
  const text = runYaml(written, "It was changed when it was resumed: manifest.json says what and when.");
  const staged = join(path, `.run.yaml.${randomUUID()}`);
  await writeDurably(disk, staged, [Buffer.from(text)]);
  await disk.rename(staged, target);
  await disk.syncFolder(path);
}

/** Removes samples of steps that are done again. */
export async function removeLaterSamples(runDirectory: string, step: number): Promise<void> {
  const folder = join(runDirectory, "samples");
  for (const name of await readdir(folder).catch(() => [])) {
    const of = /^step-(\d+)\.txt$/.exec(name)?.[1];
    if (of !== undefined && Number(of) > step) await rm(join(folder, name), { force: true });
  }
}
