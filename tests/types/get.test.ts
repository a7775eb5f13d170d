/**
 * Typed use of `get…`: checked by `tsc` (`npm run check:types`) — every `@ts-expect-error` must be one. The calls stand in
 * functions that are never called; one test calls the compiler on a project of its own.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import {
  getMetric,
  getModel,
  getTokenizer,
  getTrainer,
  type Metric,
  type StreamingMetric,
} from "../../src/faces/registry.ts";

class Counter implements StreamingMetric {
  readonly reads = [] as const;
  readonly unit: string;
  constructor(options: { unit: string }) {
    this.unit = options.unit;
  }
  update(): void {}
  compute(): number {
    return 0;
  }
  reset(): void {}
  state(): unknown {
    return 0;
  }
  merge(): void {}
}

declare global {
  namespace CodexMl {
    interface Metrics {
      typed_counter: typeof Counter;
      typed_share: (options: { k?: number }) => Promise<() => number>;
      typed_plain: () => () => number;
    }
  }
}

export async function builtins(): Promise<void> {
  await getTokenizer("bpe");
  await getTokenizer("bpe", { vocabSize: 512 });
  // @ts-expect-error: a misspelt option
  await getTokenizer("bpe", { vocabsize: 512 });
  // @ts-expect-error: a wrong type
  await getTokenizer("bpe", { vocabSize: "512" });
  await getTrainer("causal_lm", { maxSteps: 10 });
  // @ts-expect-error: maxSteps is required
  await getTrainer("causal_lm");
  // @ts-expect-error: maxSteps is required
  await getTrainer("causal_lm", { batchSize: 4 });
  const model = await getModel("gpt2", { vocabSize: 10 });
  model.parameters();
}

export async function declared(): Promise<void> {
  const counter = await getMetric("typed_counter", { unit: "ms" });
  const unit: string = counter.unit;
  // @ts-expect-error: the unit is required
  await getMetric("typed_counter");
  const share = await getMetric("typed_share", { k: 3 });
  await getMetric("typed_share");
  // @ts-expect-error: a wrong type
  await getMetric("typed_share", { k: "3" });
  await getMetric("typed_plain");
  // @ts-expect-error: it takes no options
  await getMetric("typed_plain", { k: 3 });
  void [unit, share];
}

export async function unknownNames(name: string): Promise<void> {
  const any: Metric = await getMetric(name, { whatever: true });
  const other: Metric = await getMetric("somebody-elses", 42);
  void [any, other];
}

test("a project that declares a package's factory gets its types from the built package, and errors for wrong options", async () => {
  const repository = resolve(import.meta.dirname, "../..");
  const project = await mkdtemp(join(tmpdir(), "codex-ml-types-"));
  try {
    await mkdir(join(project, "node_modules"));
    await symlink(repository, join(project, "node_modules", "codex-ml"), "dir");
    await symlink(join(repository, "node_modules", "@types"), join(project, "node_modules", "@types"), "dir");
    await writeFile(join(project, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(project, "use.ts"),
      `import { getMetric } from "codex-ml/registry";
declare global { namespace CodexMl { interface Metrics { toy: (options: { smooth: boolean }) => () => number } } }
await getMetric("toy", { smooth: true });
await getMetric("toy", { smoth: true });
await getMetric("perplexity");
await getMetric("unknown", { a: 1 });
`,
    );
    const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"];
    const args = [
      join(repository, "node_modules/typescript/bin/tsc"),
      ...options,
      "--lib",
      "es2023,esnext.disposable,dom",
      "--types",
      "node",
      "use.ts",
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: project }).catch(
      (error) => error,
    );
    const errors = String(stdout)
      .split("\n")
      .filter((line) => line.includes("error TS"));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      /^use\.ts\(4,\d+\): error TS2561.*smoth.*smooth|^use\.ts\(4,\d+\): error TS2353.*smoth/,
    );
  } finally {
    await rm(project, { recursive: true, force: true });
  }
});
