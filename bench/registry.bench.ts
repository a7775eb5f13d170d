import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const dist = resolve(import.meta.dirname, "../dist");
const child = join(import.meta.dirname, "registry-child.mjs");

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A project with this many direct dependencies, as large as packages' manifests are; some of them declare a metric. */
function createProject(directory: string, count: number, plugins: number): void {
  const names = Array.from({ length: count }, (_, at) => `package-${at}`);
  const dependencies = Object.fromEntries(names.map((name) => [name, "^1.0.0"]));
  write(join(directory, "package.json"), JSON.stringify({ name: "bench", dependencies }));
  for (const [at, name] of names.entries()) {
    const folder = join(directory, "node_modules", name);
    const manifest = {
      name,
      version: "1.0.0",
      description: "Text that nobody needs, of which manifests are full. ".repeat(4),
      type: "module",
      exports: { ".": { types: "./dist/index.d.ts", import: "./dist/index.js" } },
      scripts: Object.fromEntries(
        Array.from({ length: 12 }, (_, n) => [`script-${n}`, "tsc --build && echo"]),
      ),
      devDependencies: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`tool-${n}`, `^${n}.1.0`])),
      ...(at < plugins && {
        peerDependencies: { "codex-ml": ">=0.0.1" },
        codexMl: { "codex_ml.metrics": { [`metric_${at}`]: ".#build" } },
      }),
    };
    write(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
    write(
      join(folder, "dist/index.js"),
      "globalThis.evaluated = (globalThis.evaluated ?? 0) + 1; export const build = () => () => 1;",
    );
  }
}

/** As many installed Python packages, each with an entry point: what `pip install` leaves. */
function createSite(directory: string, count: number): void {
  for (let at = 0; at < count; at++) {
    write(join(directory, `bench_plugin_${at}.py`), "def build():\n    return 1\n");
    const info = join(directory, `bench_plugin_${at}-1.0.0.dist-info`);
    write(join(info, "METADATA"), `Metadata-Version: 2.1\nName: bench-plugin-${at}\nVersion: 1.0.0\n`);
    write(join(info, "entry_points.txt"), `[bench_metrics]\nmetric_${at} = bench_plugin_${at}:build\n`);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

type Figures = Readonly<Record<string, number>>;

interface Contender {
  readonly program?: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The median of each number that processes print: contenders take turns, and their first turn does not count. */
function medians(rounds: number, contenders: readonly Contender[]): Figures[] {
  const outcomes = contenders.map((): Figures[] => []);
  for (let round = -1; round < rounds; round++)
    for (const [index, { program = process.execPath, args, cwd, env }] of contenders.entries()) {
      const options = { cwd, encoding: "utf8", env: { ...process.env, ...env } } as const;
      const printed = JSON.parse(execFileSync(program, args, options)) as Figures;
      if (round >= 0) outcomes[index]?.push(printed);
    }
  return outcomes.map((figures) => {
    const keys = Object.keys(figures[0] ?? {});
    return Object.fromEntries(keys.map((key) => [key, median(figures.map((one) => one[key] ?? Number.NaN))]));
  });
}

const row = (label: string, value: number | undefined, unit: string, note = "") =>
  console.log(
    `  ${label.padEnd(46)} ${(value ?? Number.NaN).toFixed(unit === "ns" ? 0 : 2).padStart(9)} ${unit.padEnd(3)} ${note}`,
  );

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: "string", default: "11" }, python: { type: "string" } },
  });
  if (!existsSync(join(dist, "cli.mjs"))) {
    console.error("dist/cli.mjs is missing: `npm run build` first");
    return 2;
  }
  const rounds = Number(values.rounds);
  const face = join(dist, "registry.mjs");
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-bench-")));
  try {
    const projects = [
      [100, 10],
      [100, 100],
      [1000, 10],
      [1000, 1000],
    ] as const;
    console.log(`Node ${process.version}; medians over ${rounds} processes each, warm file system\n`);
    console.log("Finding (the first listing in a process, and the next ones that read anew)");
    const folderOf = (count: number, plugins: number) => join(directory, `${count}-${plugins}`);
    for (const [count, plugins] of projects) createProject(folderOf(count, plugins), count, plugins);
    const listing = projects.map((project) => ({
      args: [child, face, "list"],
      cwd: folderOf(project[0], project[1]),
    }));
    for (const [index, measured] of medians(rounds, listing).entries()) {
      const [count, plugins] = projects[index] ?? [];
      const label = `${count} direct dependencies, ${plugins} plugins`;
      row(
        label,
        measured.first,
        "ms",
        `again ${measured.again?.toFixed(2)} ms; ${measured.evaluated} modules imported`,
      );
    }

    console.log("\nLooking up what is loaded (best of 7 × 100,000)");
    const looked = [
      ["a built-in", "perplexity", 10],
      ["a package's, of 10 plugins", "metric_9", 10],
      ["a package's, of 100 plugins", "metric_99", 100],
    ] as const;
    const asking = looked.map(([, name, plugins]) => ({
      args: [child, face, "get", name],
      cwd: folderOf(100, plugins),
    }));
    for (const [index, lookups] of medians(3, asking).entries()) {
      const [label] = looked[index] ?? [];
      row(`get, ${label}`, lookups.get, "ns", `${lookups.nothing?.toFixed(0)} ns of it are any awaited call`);
      row(`has, ${label}`, lookups.has, "ns");
    }

    console.log("\nStarting, with 100 direct dependencies, 10 of them plugins (alternated)");
    const cli = join(dist, "cli.mjs");
    const commands: [string, string[]][] = [
      ["node -e 0", ["-e", "0"]],
      ["codex-ml --version", [cli, "--version"]],
      ["codex-ml plugins list", [cli, "plugins", "list"]],
    ];
    const times = commands.map((): number[] => []);
    for (let round = -1; round < rounds; round++)
      for (const [index, [, command]] of commands.entries()) {
        const started = performance.now();
        execFileSync(process.execPath, command, { cwd: folderOf(100, 10), stdio: "ignore" });
        if (round >= 0) times[index]?.push(performance.now() - started);
      }
    const bare = median(times[0] ?? []);
    for (const [index, [label]] of commands.entries()) {
      const took = median(times[index] ?? []);
      row(label, took, "ms", index === 0 ? "" : `${(took - bare).toFixed(1)} ms over node -e 0`);
    }

    if (values.python === undefined) {
      console.log("\nFor Python's catalogue and stevedore beside it: --python PATH (bench/README.md).");
      return 0;
    }
    console.log("\nThe same job: 100 installed packages that declare one metric each");
    const site = join(directory, "site");
    createSite(site, 100);
    const env = { PYTHONPATH: site, XDG_CACHE_HOME: join(directory, "cache") };
    const program = values.python;
    const theirs = (peer: string): Contender => ({
      program,
      args: [join(import.meta.dirname, "registry_peers.py"), peer, "metric_99"],
      cwd: directory,
      env,
    });
    const ours = { args: [child, face, "list"], cwd: folderOf(100, 100) };
    const figures = medians(rounds, [ours, theirs("catalogue"), theirs("stevedore")]);
    const [lookup] = medians(3, [{ ...ours, args: [child, face, "get", "metric_99"] }]);
    for (const [index, label] of ["codex-ml", "catalogue", "stevedore"].entries()) {
      const { first, found, evaluated, imported, lookup: own = lookup?.get } = figures[index] ?? {};
      const library = `the library itself ${imported?.toFixed(1)} ms`;
      row(
        label,
        first,
        "ms",
        `${found} found, ${evaluated} imported; ${library}; a lookup ${own?.toFixed(0)} ns`,
      );
    }
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
