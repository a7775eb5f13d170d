/** A run made of the plugin packages, and the packages in other projects: real npm, real processes. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRegistries, type RunConfigInput, type RunEvent, train } from "codex-ml";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const plugins = join(repository, "examples", "plugins");
const toyRun = join(repository, "examples", "toy.yaml");

const folders: string[] = [];
const temporaryFolder = (): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-toys-")));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("examples/toy.yaml", () => {
  async function trained(seed?: number) {
    const written = parse(readFileSync(toyRun, "utf8")) as RunConfigInput;
    const run = await train(seed === undefined ? toyRun : { ...written, seed }, {
      out: join(temporaryFolder(), "run"),
      registries: createRegistries({ root: repository }),
    });
    const events: RunEvent[] = [];
    for await (const event of run) events.push(event);
    const checkpoint = join(run.directory, "checkpoints", "step-000300");
    return { run, events, weights: readFileSync(join(checkpoint, "model.safetensors")) };
  }

  test("trains with all five packages: the loss falls, and the model is saved", async () => {
    const { run, events } = await trained();
    const losses = events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    expect(losses).toHaveLength(300);
    expect(losses[0]).toBeGreaterThan(3);
    expect(mean(losses.slice(-20))).toBeLessThan(1.4);
    const evaluation = events.find((event) => event.type === "evaluation");
    expect(evaluation?.loss).toBeLessThan(1.4);
    expect(evaluation?.metrics).toMatchObject({ toy_metric: expect.closeTo(0.5, 0.5) });
    expect(events.at(-1)).toEqual({ type: "end", step: 300, reason: "maxSteps" });
    expect(events[0]).toMatchObject({
      type: "start",
      components: [
        { kind: "tokenizer", name: "toy_tokenizer", origin: "codex-ml-toy-tokenizer@0.1.0" },
        { kind: "data", name: "toy_data_loader", origin: "codex-ml-toy-data-loader@0.1.0" },
        { kind: "model", name: "toy_model", origin: "codex-ml-toy-model@0.1.0" },
        { kind: "trainer", name: "toy_trainer", origin: "codex-ml-toy-trainer@0.1.0" },
        { kind: "metric", name: "perplexity", origin: "codex-ml@0.1.0" },
        { kind: "metric", name: "toy_metric", origin: "codex-ml-toy-metric@0.1.0" },
      ],
    });

    const loaded = await run.load();
    expect((await loaded.evaluate()).loss).toBeCloseTo(evaluation?.loss ?? Number.NaN, 5);
  });

  test("the same seed gives the same weights to the last byte, and another seed does not", async () => {
    const [first, second, other] = [await trained(), await trained(), await trained(7)];
    expect(first.weights.equals(second.weights)).toBe(true);
    expect(first.weights.equals(other.weights)).toBe(false);
  });
});

describe("In another project", () => {
  const npm = (cwd: string, ...args: string[]): string => {
    // What `npm test` sets for us would send the inner npm to this repository.
    const inherited = Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key));
    const env = { ...Object.fromEntries(inherited), npm_config_cache: join(cwd, ".cache") };
    return execFileSync("npm", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  };
  // The peer `codex-ml` is this checkout, which a registry cannot give.
  const install = (project: string, path: string): void => {
    npm(project, "install", "--offline", "--no-audit", "--no-fund", "--legacy-peer-deps", path);
    rmSync(join(project, "node_modules", "codex-ml"), { force: true });
    symlinkSync(repository, join(project, "node_modules", "codex-ml"), "dir");
  };
  const newProject = (): string => {
    const project = temporaryFolder();
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true }));
    writeFileSync(join(project, "corpus.txt"), "the quick brown fox jumps over the lazy dog. ".repeat(40));
    return project;
  };
  const trainThere = (project: string, metric: string): RunEvent[] => {
    const model =
      "{ name: gpt2, numHiddenLayers: 1, numAttentionHeads: 1, hiddenSize: 8, maxPositionEmbeddings: 16 }";
    writeFileSync(
      join(project, "run.yaml"),
      `tokenizer: byte
data: { name: text, path: corpus.txt }
model: ${model}
trainer: { name: causal_lm, maxSteps: 2, batchSize: 2, sampleTokens: 0 }
metrics: [${metric}]
`,
    );
    const cli = join(repository, "dist", "cli.mjs");
    const printed = execFileSync(process.execPath, [cli, "train", "run.yaml", "--out", "out", "--json"], {
      cwd: project,
      encoding: "utf8",
    });
    return printed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as RunEvent);
  };

  test("an archive that npm packed and installed is found, and trained with", () => {
    const project = newProject();
    const [{ filename }] = JSON.parse(
      npm(project, "pack", "--json", join(plugins, "codex-ml-toy-metric")),
    ) as [{ filename: string }];
    install(project, `./${filename}`);
    expect(readdirSync(join(project, "node_modules", "codex-ml-toy-metric")).sort()).toEqual([
      "README.md",
      "metric.d.ts",
      "metric.js",
      "package.json",
    ]);
    expect(createRegistries({ root: project }).metrics.inspect("toy_metric").origin).toMatchObject({
      package: "codex-ml-toy-metric",
      version: "0.1.0",
      location: join(project, "node_modules", "codex-ml-toy-metric", "package.json"),
    });
    const events = trainThere(project, "toy_metric");
    expect(events[0]).toMatchObject({
      components: expect.arrayContaining([
        { kind: "metric", name: "toy_metric", origin: "codex-ml-toy-metric@0.1.0" },
      ]),
    });
    expect(events).toContainEqual(
      expect.objectContaining({ type: "evaluation", metrics: { toy_metric: expect.any(Number) } }),
    );
  });

  test("a copy under another name, installed from a folder of the project, works too", () => {
    const project = newProject();
    const copy = join(project, "my-metric");
    cpSync(join(plugins, "codex-ml-toy-metric"), copy, { recursive: true });
    const manifest = readFileSync(join(copy, "package.json"), "utf8");
    writeFileSync(
      join(copy, "package.json"),
      manifest.replace("codex-ml-toy-metric", "my-metric").replace("toy_metric", "my_metric"),
    );
    install(project, "./my-metric");
    const events = trainThere(project, "my_metric");
    expect(events[0]).toMatchObject({
      components: expect.arrayContaining([{ kind: "metric", name: "my_metric", origin: "my-metric@0.1.0" }]),
    });
    expect(events.at(-1)).toMatchObject({ type: "end", step: 2 });
  });
});
