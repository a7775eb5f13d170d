/** `codex-ml train`: what it prints, what it leaves in the run directory, and that equal seeds give equal bytes. */
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { RunEvent } from "../../src/trainers/index.ts";
import { ofType, Project, parseEvents, type Result, removeProjects } from "./project.ts";
import { corpus, sentences, tinyRun, tinyYaml } from "./tiny.ts";

const checkpoint = "checkpoints/step-000012";

afterAll(removeProjects);

/** Weights and optimizer state of the last step. */
async function trained(project: Project, run: string): Promise<{ model: Buffer; optimizer: Buffer }> {
  return {
    model: await project.bytes(run, checkpoint, "model.safetensors"),
    optimizer: await project.bytes(run, checkpoint, "optimizer.safetensors"),
  };
}

/** Numbers in a safetensors file, counted from its header. */
function countValues(file: Buffer): number {
  const header = JSON.parse(
    file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString("utf8"),
  ) as Readonly<Record<string, { readonly shape: readonly number[] }>>;
  return Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .reduce((sum, [, { shape }]) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

describe.concurrent("for a person", () => {
  let project: Project;
  let result: Result;
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    result = await project.run(["train", "tale.yaml"]);
  });

  test("it exits with 0", () => {
    expect(result.code).toBe(0);
  });

  test("it prints nothing on stdout", () => {
    expect(result.stdout).toBe("");
  });

  test("it shows the loss, the evaluations and the sample on stderr", async () => {
    const events = await project.events(await project.onlyRun());
    const [first] = ofType(events, "step");
    const evaluation = ofType(events, "evaluation").at(-1);
    expect(result.stderr).toContain(first?.loss.toFixed(3));
    expect(result.stderr).toContain(evaluation?.loss.toFixed(3));
    expect(result.stderr).toContain(ofType(events, "sample")[0]?.prompt);
  });

  test("it makes runs/<name>-<time>, named after the run file, and says where", async () => {
    const run = await project.onlyRun();
    expect(run).toMatch(/^runs\/tale-\d{8}-\d{6}$/);
    expect(result.stderr).toContain(run);
  });

  test("it tells commands to go on with, and the one for generating works as printed", async () => {
    const [, line = ""] = /(?:npx )?codex-ml (generate .+)/.exec(result.stderr) ?? [];
    const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
    const { code, stderr } = await project.run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("the loss falls, in training and on the held-out text", async () => {
    const events = await project.events(await project.onlyRun());
    for (const type of ["step", "evaluation"] as const) {
      const losses = ofType(events, type).map(({ loss }) => loss);
      expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) - 0.1);
    }
  });
});

describe("with --json", () => {
  let project: Project;
  let result: Result;
  let events: RunEvent[];
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    result = await project.run(["train", "tale.yaml", "--json", "--out", "out"]);
    events = parseEvents(result.stdout);
  });

  test("stdout has the lines of metrics.ndjson and nothing else", async () => {
    expect(result.code).toBe(0);
    expect(result.stdout).toBe(await project.text("out", "metrics.ndjson"));
    expect(events.every(({ type }) => typeof type === "string")).toBe(true);
  });

  test("the events come in order: start, steps with their evaluations, sample, checkpoint, end", () => {
    const order = events.map((event) => ("step" in event ? `${event.type} ${event.step}` : event.type));
    expect(order[2]).toBe("system 1");
    const steps = (from: number) => Array.from({ length: 6 }, (_, index) => `step ${from + index}`);
    // How many more of those there are is a matter of time.
    expect(order.filter((event) => !event.startsWith("system"))).toEqual([
      "start",
      ...steps(1),
      "evaluation 6",
      ...steps(7),
      "evaluation 12",
      "sample 12",
      "checkpoint 12",
      "end 12",
    ]);
  });

  test.each([
    ["start", ["type", "run", "parameters", "maxSteps", "components", "data", "disk"]],
    [
      "step",
      ["type", "step", "loss", "learningRate", "gradientNorm", "tokens", "tokensPerSecond", "seconds"],
    ],
    ["system", ["type", "step", "rss", "heapUsed", "availableMemory", "cpuPercent"]],
    ["evaluation", ["type", "step", "split", "loss", "metrics", "tokens", "seconds"]],
    ["sample", ["type", "step", "prompt", "text"]],
    ["checkpoint", ["type", "step", "path"]],
    ["end", ["type", "step", "reason"]],
  ] as const)("every %s event has the documented fields", (type, fields) => {
    const found = ofType(events, type);
    expect(found).not.toEqual([]);
    for (const event of found) expect(Object.keys(event)).toEqual(fields);
  });

  test("start names the run, its planned steps, and every component with its origin", () => {
    expect(events[0]).toMatchObject({
      run: "tale",
      maxSteps: 12,
      components: ["byte", "text", "gpt2", "causal_lm", "perplexity", "bits_per_byte", "token_accuracy"].map(
        (name) => ({ kind: expect.any(String), name, origin: "codex-ml@0.1.0" }),
      ),
    });
  });

  test("start counts the parameters that the checkpoint holds", async () => {
    const { model } = await trained(project, "out");
    expect(ofType(events, "start")[0]?.parameters).toBe(countValues(model));
  });

  test("a step counts the tokens of its batch: 4 sequences of 16", () => {
    expect(ofType(events, "step").map(({ tokens }) => tokens)).toEqual(Array(12).fill(64));
  });

  test("an evaluation has every metric under the name of the run file", () => {
    for (const { split, metrics } of ofType(events, "evaluation")) {
      expect(split).toBe("validation");
      expect(Object.keys(metrics)).toEqual(["perplexity", "bits_per_byte", "token_accuracy"]);
    }
  });

  test("losses are nats per token: perplexity is their exponential, and a byte's bits are loss / ln 2", () => {
    for (const { loss, metrics } of ofType(events, "evaluation")) {
      expect(metrics.perplexity).toBeCloseTo(Math.exp(loss), 3);
      expect(metrics.bits_per_byte).toBeCloseTo(loss / Math.LN2, 5);
    }
  });

  test("an untrained model's loss is that of a uniform guess among 257 ids", () => {
    expect(ofType(events, "step")[0]?.loss).toBeCloseTo(Math.log(257), 1);
  });
});

describe("the run directory", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    await project.train("tale.yaml", "--out", "out", "--set", "seed=3");
  });

  test("has every documented file and nothing half-written", async () => {
    const files = await project.files("out");
    for (const file of ["config.json", "model.safetensors", "optimizer.safetensors", "state.json"])
      expect(files).toContain(`${checkpoint}/${file}`);
    for (const file of ["run.yaml", "manifest.json", "metrics.ndjson", "tokenizer/tokenizer.json"])
      expect(files).toContain(file);
    expect(files.filter((file) => /^samples\/./.test(file))).toHaveLength(1);
    expect(files.filter((file) => /staging|\.tmp|partial/i.test(file))).toEqual([]);
  });

  test("the manifest has origins, the data's fingerprint, seed, versions, device and threads", async () => {
    const manifest = JSON.parse(await project.text("out", "manifest.json"));
    expect(manifest).toMatchObject({
      seed: 3,
      components: ofType(await project.events("out"), "start")[0]?.components,
      versions: { "codex-ml": "0.1.0", node: process.versions.node, onnxruntime: expect.any(String) },
      device: "cpu",
      threads: Number(process.env.CODEX_ML_THREADS ?? availableParallelism()),
    });
    expect(JSON.stringify(manifest.data)).toMatch(/fingerprint":"[0-9a-f]{16,}/);
  });

  test("state.json has the size and the CRC-32 of every file of the checkpoint", async () => {
    const state = JSON.parse(await project.text("out", checkpoint, "state.json"));
    for (const name of ["model.safetensors", "optimizer.safetensors", "config.json"]) {
      const bytes = await project.bytes("out", checkpoint, name);
      // A file of gzip ends in the same: CRC-32 and length, least byte first.
      const crc32 = gzipSync(bytes).subarray(-8, -4).reverse().toString("hex");
      expect(state.files[name]).toEqual({ size: bytes.length, crc32 });
    }
  });

  test("config.json describes the model as Hugging Face does, with the tokenizer's vocabulary", async () => {
    expect(JSON.parse(await project.text("out", checkpoint, "config.json"))).toMatchObject({
      model_type: "gpt2",
      vocab_size: 257,
      n_embd: 16,
      n_layer: 1,
      n_head: 2,
      n_positions: 16,
    });
  });

  test("optimizer.safetensors has two numbers for each of the model's", async () => {
    const { model, optimizer } = await trained(project, "out");
    expect(countValues(optimizer)).toBe(2 * countValues(model));
  });

  test("samples/ has the text of the sample event", async () => {
    const [sample] = ofType(await project.events("out"), "sample");
    const [file = ""] = await project.files("out/samples");
    expect(await project.text("out", "samples", file)).toContain(`${sample?.prompt}${sample?.text}`);
  });

  test("run.yaml has what --set gave and the defaults that nobody wrote", async () => {
    const run = parse(await project.text("out", "run.yaml"));
    expect(run).toMatchObject({
      seed: 3,
      tokenizer: "byte",
      data: { name: "text", validation: 0.1 },
      model: { name: "gpt2", hiddenSize: 16, dropout: 0 },
      trainer: { name: "causal_lm", maxSteps: 12, weightDecay: expect.any(Number), warmupSteps: 0 },
    });
  });

  test("the fingerprint follows the data", async () => {
    await project.write("other.txt", sentences(150, 1));
    await project.train("tale.yaml", "--out", "other", "--set", "data.path=other.txt");
    const fingerprint = async (run: string) => JSON.parse(await project.text(run, "manifest.json")).data;
    expect(await fingerprint("other")).not.toEqual(await fingerprint("out"));
  });
});

describe.concurrent("equal seeds", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    await project.train("tale.yaml", "--out", "first");
  });

  test("two runs end in byte-identical weights and optimizer state", async () => {
    await project.train("tale.yaml", "--out", "second");
    expect(await trained(project, "second")).toEqual(await trained(project, "first"));
  });

  test("another seed ends in other weights and other optimizer state", async () => {
    await project.train("tale.yaml", "--out", "other", "--set", "seed=2");
    const [first, other] = [await trained(project, "first"), await trained(project, "other")];
    expect(other.model.equals(first.model)).toBe(false);
    expect(other.optimizer.equals(first.optimizer)).toBe(false);
  });

  test("training from the resolved run.yaml gives the same bytes and resolves to the same file", async () => {
    await project.train("first/run.yaml", "--out", "again");
    expect(await trained(project, "again")).toEqual(await trained(project, "first"));
    expect(parse(await project.text("again", "run.yaml"))).toEqual(
      parse(await project.text("first", "run.yaml")),
    );
  });

  test("how often the run is evaluated does not change what is learned", async () => {
    await project.train("tale.yaml", "--out", "watched", "--set", "trainer.evalSteps=2");
    expect(await trained(project, "watched")).toEqual(await trained(project, "first"));
  });

  test("with dropout, gradient accumulation and a trained tokenizer, two runs and run.yaml give the same bytes", async () => {
    const settings = [
      "model.dropout=0.2",
      "trainer.gradientAccumulationSteps=3",
      "trainer.batchSize=2",
      "tokenizer={ name: bpe, vocabSize: 280 }",
    ].flatMap((setting) => ["--set", setting]);
    await project.train("tale.yaml", "--out", "dropped", ...settings);
    await project.train("tale.yaml", "--out", "dropped-again", ...settings);
    await project.train("dropped/run.yaml", "--out", "dropped-resolved");
    const first = await trained(project, "dropped");
    expect(await trained(project, "dropped-again")).toEqual(first);
    expect(await trained(project, "dropped-resolved")).toEqual(first);
    const undropped = [...settings, "--set", "model.dropout=0"];
    await project.train("tale.yaml", "--out", "undropped", ...undropped);
    expect((await trained(project, "undropped")).model.equals(first.model)).toBe(false);
  });

  test("neither batch size nor gradient accumulation changes the loss of an update", async () => {
    await project.train(
      "tale.yaml",
      ...["--out", "accumulated", "--set", "trainer.batchSize=2"],
      ...["--set", "trainer.gradientAccumulationSteps=2"],
    );
    const [once, twice] = [
      ofType(await project.events("first"), "step"),
      ofType(await project.events("accumulated"), "step"),
    ];
    expect(twice.map(({ tokens }) => tokens)).toEqual(once.map(({ tokens }) => tokens));
    for (const [index, { loss, gradientNorm }] of twice.entries()) {
      expect(loss).toBeCloseTo(once[index]?.loss ?? Number.NaN, 3);
      expect(gradientNorm).toBeCloseTo(once[index]?.gradientNorm ?? Number.NaN, 2);
    }
  });

  test.each([
    ["JSON", "tale.json", JSON.stringify(tinyRun)],
    ["TypeScript", "tale.ts", `const steps: number = 12;\nexport default ${withSteps("steps")};`],
    [
      "TypeScript with defineRun",
      "defined.ts",
      `import { defineRun } from "codex-ml";\nexport default defineRun(${withSteps("12")});`,
    ],
  ])("a run file in %s trains the same as in YAML", async (_, file, text) => {
    if (text.includes("codex-ml")) await project.linkCodexMl();
    await project.write(file, text);
    await project.train(file, "--out", `from-${file}`);
    expect(await trained(project, `from-${file}`)).toEqual(await trained(project, "first"));
  });
});

/** The tiny run as an expression of JavaScript, with this expression for the steps. */
function withSteps(steps: string): string {
  return JSON.stringify(tinyRun).replace('"maxSteps":12', `"maxSteps":${steps}`);
}

describe.concurrent("what is asked for", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
  });

  test("--set replaces values, as often as it is given", async () => {
    const settings = ["trainer.maxSteps=2", "trainer.batchSize=3", "metrics=[token_accuracy]"];
    await project.train("tale.yaml", "--out", "set", ...settings.flatMap((setting) => ["--set", setting]));
    const events = await project.events("set");
    expect(ofType(events, "step").map(({ step, tokens }) => [step, tokens])).toEqual([
      [1, 48],
      [2, 48],
    ]);
    expect(Object.keys(ofType(events, "evaluation")[0]?.metrics ?? {})).toEqual(["token_accuracy"]);
  });

  test("--out takes an empty folder that is there", async () => {
    await mkdir(project.path("empty"));
    await project.train("tale.yaml", "--out", "empty", "--set", "trainer.maxSteps=1");
    expect(await project.files("empty")).toContain("manifest.json");
  });

  test("relative paths start from the run file's folder, not from the working directory", async () => {
    await mkdir(project.path("elsewhere"));
    await project.write("deep/text.txt", corpus);
    await project.write("deep/run.yaml", tinyYaml.replace("corpus.txt", "./text.txt"));
    const { code, stderr } = await project.run(
      ["train", "../deep/run.yaml", "--out", "../deep-out", "--set", "trainer.maxSteps=1"],
      { cwd: project.path("elsewhere") },
    );
    expect(code, stderr).toBe(0);
    expect(await project.files("deep-out")).toContain("manifest.json");
  });

  test("a run file in TypeScript may give the component itself", async () => {
    await project.write(
      "object.ts",
      `const always = (): number => 0.25;
       const undefinedScore = (): number => Number.NaN;
       export default { ...${JSON.stringify(tinyRun)}, metrics: [always, undefinedScore] };`,
    );
    const { stdout } = await project.train("object.ts", "--json", "--out", "object");
    const evaluation = ofType(parseEvents(stdout), "evaluation")[0];
    // JSON has no NaN: it is written as a string.
    expect(evaluation?.metrics).toEqual({ always: 0.25, undefinedScore: "NaN" });
  });

  test("without a validation split there is no evaluation, and none is made up", async () => {
    await project.train("tale.yaml", "--out", "unvalidated", "--set", "data.validation=0");
    const events = await project.events("unvalidated");
    expect(ofType(events, "evaluation")).toEqual([]);
    expect(ofType(events, "end")).toEqual([{ type: "end", step: 12, reason: "maxSteps" }]);
  });
});

describe("a trial before the long run", () => {
  test("--overfit-batch exits with 0 when the batch was learned by heart, and with 1 when not; --limit is said", async () => {
    const project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    const learns = ["maxSteps=150", "learningRate=0.02", "weightDecay=0", "sampleTokens=0"];
    const set = (values: readonly string[]) => values.flatMap((value) => ["--set", `trainer.${value}`]);
    const good = await project.run([
      ...["train", "tale.yaml", "--overfit-batch", "1", "--set", "model.hiddenSize=32"],
      ...set(learns),
    ]);
    expect(good.stderr).toMatch(
      /^passed {2}the model learned 1 batch over 150 steps by heart: loss 0\.0\d+/m,
    );
    expect(good.code).toBe(0);
    const bad = await project.run(["train", "tale.yaml", "--overfit-batch", "1", "--limit", "2", "--json"]);
    const events = parseEvents(bad.stdout);
    expect(ofType(events, "start")[0]).toMatchObject({
      data: { examples: 2 },
      notes: [expect.stringMatching(/the first 2 examples/), expect.stringMatching(/the first batch again/)],
    });
    expect(ofType(events, "overfit")[0]).toMatchObject({ passed: false });
    expect(bad.code).toBe(1);
    expect((await project.run(["train", "tale.yaml", "--limit", "0"])).code).toBe(2);
  });
});
