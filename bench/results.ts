import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join, relative } from "node:path";

/** What a figure should be, and what it was. */
export interface Target {
  readonly what: string;
  readonly unit: string;
  readonly target: number;
  readonly measured: number;
  readonly met: boolean;
}

export function target(what: string, unit: string, limit: number, measured: number): Target {
  return { what, unit, target: limit, measured: rounded(measured), met: measured <= limit };
}

/** Three significant digits and whole numbers whole: what a measurement on a shared machine can say. */
export function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

/** The machine, in words that name nobody's. */
export function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryInGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    loadAverage: rounded(loadavg()[0] ?? 0),
  };
}

/**
 * Writes what a benchmark found to `bench/results/<name>.json`, with the machine, the commit and the time; or, unless it
 * is to be recorded, to `local-<name>.json`, which git ignores. Gives the path.
 */
export function saveResults(
  name: string,
  record: boolean,
  results: Readonly<Record<string, unknown>>,
): string {
  const folder = join(import.meta.dirname, "results");
  const file = join(folder, `${record ? "" : "local-"}${name}.json`);
  const all = {
    benchmark: name,
    time: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    ...results,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
  return relative(process.cwd(), file);
}

function commit(): string | undefined {
  try {
    const options: ExecFileSyncOptionsWithStringEncoding = {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    };
    const changed =
      execFileSync("git", ["status", "--porcelain", "--untracked-files=no"], options).trim() !== "";
    return `${execFileSync("git", ["rev-parse", "--short", "HEAD"], options).trim()}${changed ? " and changes" : ""}`;
  } catch {
    return undefined; // A copy without git.
  }
}
