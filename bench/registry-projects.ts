import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A project with this many direct dependencies, as large as packages' manifests are; some of them declare a metric. */
export function createProject(directory: string, count: number, plugins: number): void {
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
export function createSite(directory: string, count: number): void {
  for (let at = 0; at < count; at++) {
    write(join(directory, `bench_plugin_${at}.py`), "def build():\n    return 1\n");
    const info = join(directory, `bench_plugin_${at}-1.0.0.dist-info`);
    write(join(info, "METADATA"), `Metadata-Version: 2.1\nName: bench-plugin-${at}\nVersion: 1.0.0\n`);
    write(join(info, "entry_points.txt"), `[bench_metrics]\nmetric_${at} = bench_plugin_${at}:build\n`);
  }
}
