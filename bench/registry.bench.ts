import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Contender, durations, medians, runOnce } from "./processes.ts";
import { createProject, createSite } from "./registry-projects.ts";
import { machine, rounded, saveResults, target } from "./results.ts";

const dist = resolve(import.meta.dirname, "../dist");
const face = join(dist, "registry.mjs");
const cli = join(dist, "cli.mjs");
const child = join(import.meta.dirname, "registry-child.mjs");
const peers = join(import.meta.dirname, "registry_peers.py");

const show = (value: number | undefined, unit: string) => `${rounded(value ?? Number.NaN)} ${unit}`;
const row = (label: string, ...cells: readonly string[]) =>
  console.log(`  ${label.padEnd(42)} ${cells.map((cell) => cell.padStart(11)).join("  ")}`.trimEnd());

/** Where projects are written, once each. */
class Bench {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-bench-")));
  readonly rounds: number;

  constructor(rounds: number) {
    this.rounds = rounds;
  }

  project(count: number, plugins: number): string {
    const folder = join(this.directory, `${count}-${plugins}`);
    if (!existsSync(folder)) createProject(folder, count, plugins);
    return folder;
  }

  /** Finding: the first listing of a process, the same with problems, and the next ones that read anew. */
  finding() {
    const projects = [
      [100, 10],
      [100, 100],
      [1000, 10],
      [1000, 1000],
    ] as const;
    console.log("\nFinding, in a new process");
    row("direct dependencies, plugins among them", "names", "and problems", "read anew", "imported");
    const contenders = projects.map((size) => ({
      args: [child, face, "list"],
      cwd: this.project(size[0], size[1]),
    }));
    return medians(this.rounds, contenders).map((figures, index) => {
      const [dependencies = 0, plugins = 0] = projects[index] ?? [];
      const { first = Number.NaN, whole = Number.NaN, again = Number.NaN, evaluated = Number.NaN } = figures;
      row(
        `${dependencies}, ${plugins}`,
        ...[first, whole, again].map((value) => show(value, "ms")),
        `${evaluated} modules`,
      );
      return { dependencies, plugins, first, whole, again, modulesImported: evaluated };
    });
  }

  /** Looking up what is loaded. */
  lookingUp() {
    const asked = [
      ["a built-in", "perplexity", 10],
      ["a package's, of 10 plugins", "metric_9", 10],
      ["a package's, of 100 plugins", "metric_99", 100],
    ] as const;
    console.log("\nLooking up what is loaded (the best of 7 × 100,000)");
    row("", "get", "has", "any await");
    const contenders = asked.map(([, name, plugins]) => ({
      args: [child, face, "get", name],
      cwd: this.project(100, plugins),
    }));
    return medians(Math.min(this.rounds, 5), contenders).map((figures, index) => {
      const { get = Number.NaN, has = Number.NaN, nothing = Number.NaN } = figures;
      const [label = ""] = asked[index] ?? [];
      row(label, ...[get, has, nothing].map((value) => show(value, "ns")));
      return { label, get, has, anyAwait: nothing };
    });
  }

  /** How much later than Node itself the command line is there. */
  starting() {
    const commands: readonly (readonly [string, readonly string[]])[] = [
      ["node -e 0", ["-e", "0"]],
      ["codex-ml --version", [cli, "--version"]],
      ["codex-ml plugins list", [cli, "plugins", "list"]],
    ];
    console.log("\nStarting, with 100 direct dependencies, 10 of them plugins");
    row("", "whole", "over node");
    const cwd = this.project(100, 10);
    const times = durations(
      this.rounds,
      commands.map(([, args]): Contender => ({ args, cwd })),
    );
    const [bare = Number.NaN] = times;
    return commands.map(([label], index) => {
      const took = times[index] ?? Number.NaN;
      row(label, show(took, "ms"), index === 0 ? "" : show(took - bare, "ms"));
      return { label, took, over: took - bare };
    });
  }

  /** The same job as Python's catalogue and stevedore do. */
  peers(python: string) {
    const count = 100;
    const site = join(this.directory, "site");
    createSite(site, count);
    // stevedore keeps what it found in a cache on disk; the first turn, which does not count, fills it.
    const env = { PYTHONPATH: site, XDG_CACHE_HOME: join(this.directory, "cache") };
    const name = `metric_${count - 1}`;
    const theirs = (peer: string, asked = name): Contender => ({
      program: python,
      args: [peers, peer, asked],
      cwd: this.directory,
      env,
    });
    const names = ["catalogue", "stevedore"];
    const versions = names.map(
      (peer) => JSON.parse(runOnce(theirs(peer, "--version"))) as Record<string, string>,
    );
    const ours = { args: [child, face, "list", name], cwd: this.project(count, count) };
    console.log(
      `\nThe same job: ${count} installed packages that declare one component each, and 10^6 lookups of one`,
    );
    row("", "library", "finding", "both", "imported", "10^6 lookups");
    const figures = medians(Math.min(this.rounds, 7), [ours, ...names.map((peer) => theirs(peer))]);
    const labels = ["codex-ml", ...names.map((peer, index) => `${peer} ${versions[index]?.version ?? ""}`)];
    return {
      python: versions[0]?.python,
      figures: labels.map((label, index) => {
        const { imported = Number.NaN, first = Number.NaN, evaluated, million, done } = figures[index] ?? {};
        const both = imported + first;
        row(
          label,
          ...[imported, first, both].map((value) => show(value, "ms")),
          `${evaluated} modules`,
          `${show(million, "ms")}${done === undefined || done >= 1e6 ? "" : ` (from ${done})`}`,
        );
        return {
          label,
          library: imported,
          finding: first,
          both,
          modulesImported: evaluated,
          millionLookups: million,
          lookupsDone: done ?? 1e6,
        };
      }),
    };
  }
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "21" },
      python: { type: "string" },
      record: { type: "boolean", default: false },
    },
  });
  if (!existsSync(cli)) {
    console.error("dist/cli.mjs is missing: `npm run build` first");
    return 2;
  }
  const bench = new Bench(Number(values.rounds));
  try {
    const { processor, cores, node, loadAverage } = machine();
    console.log(`Node ${node} on ${processor}, ${cores} cores, load average ${loadAverage}`);
    console.log(`Medians over ${bench.rounds} processes each, by turns; warm file system`);
    const finding = bench.finding();
    const lookingUp = bench.lookingUp();
    const starting = bench.starting();
    const python = values.python;
    const peers = python === undefined ? undefined : bench.peers(python);
    if (peers === undefined)
      console.log("\nFor Python's catalogue and stevedore beside it: --python PATH (bench/README.md).");
    const found = (dependencies: number) => finding.find((one) => one.dependencies === dependencies)?.first;
    const targets = [
      target("finding the components of 1,000 direct dependencies", "ms", 60, found(1000) ?? Number.NaN),
      target("finding the components of 100 direct dependencies", "ms", 8, found(100) ?? Number.NaN),
      target("modules that a listing imports", "", 0, Math.max(...finding.map((one) => one.modulesImported))),
      target("a lookup of what is loaded", "ns", 200, Math.max(...lookingUp.map(({ get }) => get))),
      ...starting.slice(1).map(({ label, over }) => target(`${label}, over node -e 0`, "ms", 60, over)),
    ];
    console.log("\nTargets");
    for (const { what, unit, target: limit, measured, met } of targets)
      row(what, `${measured} ${unit}`, `of ${limit} ${unit}`, met ? "met" : "MISSED");
    const file = saveResults("registry", values.record, {
      rounds: bench.rounds,
      targets,
      ...tidy({ finding, lookingUp, starting, peers }),
    });
    console.log(`\nWritten to ${file}`);
    return 0;
  } finally {
    rmSync(bench.directory, { recursive: true, force: true });
  }
}

/** The same with every number rounded. */
function tidy(results: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(results, (_, value) => (typeof value === "number" ? rounded(value) : value)),
  );
}
