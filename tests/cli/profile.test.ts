/** `codex-ml train --profile` and `--dry-run`: what they print and write, and that neither changes what is learned. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DryRun } from "../../src/run/dry-run.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { ofType, Project, parseEvents, type Result, removeProjects } from "./project.ts";
import { corpus, tinyRun, tinyYaml } from "./tiny.ts";

afterAll(removeProjects);

const checkpoint = "checkpoints/step-000012";
const twoLayers = ["--set", "model.numHiddenLayers=2"];

async function weights(project: Project, run: string): Promise<string> {
  return createHash("sha256")
    .update(await project.bytes(run, checkpoint, "model.safetensors"))
    .digest("hex");
}

/** A trainer that makes its updates in a way of its own, which nobody can look into. */
const ownTrainer = `
import { registerTrainer } from "codex-ml";
registerTrainer("own", () => ({
  maxSteps: 1,
  async *train({ model, saveCheckpoint }) {
    yield { type: "step", step: 1, loss: 1, learningRate: 0, gradientNorm: 1, tokens: 1, tokensPerSecond: 1 };
    yield { type: "end", step: 1, reason: "maxSteps" };
  },
}));
`;
const ownRun = JSON.stringify({ ...tinyRun, imports: ["./own.mjs"], trainer: "own" });

describe("train --profile", () => {
  let project: Project;
  let result: Result;
  let events: RunEvent[];
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    await mkdir(project.path("temporary"));
    const TMPDIR = project.path("temporary");
    result = await project.run(
      ["train", "tale.yaml", "--profile", "--json", "--out", "profiled", ...twoLayers],
      { env: { TMPDIR, TEMP: TMPDIR, TMP: TMPDIR } },
    );
    events = parseEvents(result.stdout);
  });

  test("tells it in one event, the one before the end, and leaves nothing behind in the temporary folder", async () => {
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: "" });
    expect(events.slice(-2).map(({ type }) => type)).toEqual(["profile", "end"]);
    expect(result.stdout).toBe(await project.text("profiled", "metrics.ndjson"));
    // The library itself may leave something there.
    expect((await project.files("temporary")).filter((name) => name.includes("codex"))).toEqual([]);
  });

  test("writes profile.json, which has the event's numbers, and each layer and node", async () => {
    const [event] = ofType(events, "profile");
    const { layers, nodes, seconds, ...profile } = JSON.parse(await project.text("profiled", "profile.json"));
    expect(event).toMatchObject({ step: 12, path: "profile.json", profile, seconds });
    expect(profile).toMatchObject({ format: 1, window: { from: 4, steps: 5 }, overhead: { plainSteps: 4 } });
    const names = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name);
    expect(names(profile.parts)).toContain("transformer.h.*.attn");
    expect(names(layers)).toEqual(expect.arrayContaining(["transformer.h.0.attn", "transformer.h.1.attn"]));
    const { kernel, phase, operator } = nodes.find(
      ({ name }: { name: string }) => name.startsWith("grad:") && name.includes("layerNorm/"),
    );
    expect(kernel).toMatch(/^[A-Z]/);
    expect({ phase, operator }).toEqual({ phase: "backward", operator: "layerNorm" });
  });

  test("counts the floating-point operations of the run's own sizes: 4 sequences of 16, 2 layers 16 wide, 256 bytes", () => {
    const [event] = ofType(events, "profile");
    const [{ parameters = 0 } = {}] = ofType(events, "start");
    const vocabulary = (parameters - (16 * 16 + 2 * (12 * 16 ** 2 + 13 * 16) + 2 * 16)) / 16;
    const matrices = 2 * 12 * 16 ** 2 + vocabulary * 16;
    const flops = 4 * 16 * (6 * matrices + 12 * 2 * 16 * 16);
    expect(1e9 * (event?.profile.compute.gigaflops ?? 0)).toBeCloseTo(flops, -2);
  });

  test("learns the same", async () => {
    await project.train("tale.yaml", "--out", "plain", ...twoLayers);
    expect(await weights(project, "profiled")).toBe(await weights(project, "plain"));
    expect(await project.files("plain")).not.toContain("profile.json");
  });

  test("leaves a run that can be gone on with", async () => {
    await project.copy("profiled", "longer");
    const { code, stdout } = await project.run([
      "resume",
      "longer",
      "--set",
      "trainer.maxSteps=14",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(parseEvents(stdout).at(-1)).toEqual({ type: "end", step: 14, reason: "maxSteps" });
  });
});

describe("for a person", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    await project.linkCodexMl();
  });

  test("--profile shows a step's account, parts with their layers together, operators, compute and memory", async () => {
    const { stderr } = await project.train("tale.yaml", "--profile", ...twoLayers);
    for (const line of [
      /^profile {2}steps 4 to 8: [\d.]+ ms a step/m,
      /^ +median [\d.]+ ms with profiling, [\d.]+ ms in the 4 steps after those without: profiling cost /m,
      /^ {2}forward +[\d.]+ +[\d.]+%$/m,
      /^ {2}transformer\.h\.\*\.mlp\.c_fc ×2 +[\d.]+ +[\d.]+% /m,
      /^ {2}layerNorm \(\d+\) +[\d.]+ +[\d.]+% /m,
      /^compute {2}[\d.]+ GFLOP a step .* GFLOP\/s, [\d.]+% of the [\d.,]+ that this machine reached/m,
      /^memory {3}weights 4[\d.]* kB, gradients .*; the process at most \d+ MB$/m,
    ])
      expect(stderr).toMatch(line);
  });

  test("--profile-layers shows each layer by itself", async () => {
    const { stderr } = await project.train("tale.yaml", "--profile-layers", ...twoLayers);
    expect(stderr).toMatch(/^ {2}transformer\.h\.1\.mlp\.c_fc +[\d.]+ /m);
    expect(stderr).not.toContain("h.*");
  });

  test("a single step is profiled, too", async () => {
    const { stderr } = await project.train("tale.yaml", "--profile", "--set", "trainer.maxSteps=1");
    expect(stderr).toMatch(/^profile {2}step 1: /m);
    expect(stderr).toContain("the run was too short to compare with steps without profiling");
  });

  test("a trainer that cannot be looked into is a warning, and the run goes on", async () => {
    await project.write("own.mjs", ownTrainer);
    await project.write("own.json", ownRun);
    const { stderr } = await project.train("own.json", "--profile", "--out", "own");
    expect(stderr).toMatch(/^warning {2}There is no profile: .*context\.profiler/m);
    expect(await project.files("own")).not.toContain("profile.json");
  });
});

describe("train --dry-run", () => {
  let project: Project;
  let before: string[];
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    await project.linkCodexMl();
    await project.write("own.mjs", ownTrainer);
    await project.write("own.json", ownRun);
    before = await project.files();
  });
  const dry = async (...args: string[]): Promise<DryRun> => {
    const { code, stdout, stderr } = await project.run(["train", ...args, "--dry-run", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as DryRun;
  };

  test("shows what the run would be and cost, on stdout, and writes nothing", async () => {
    const { code, stdout, stderr } = await project.run(["train", "tale.yaml", "--dry-run"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const line of [
      /^ {2}trainer +causal_lm +codex-ml@0\.1\.0$/m,
      /^ {2}transformer\.h\.\*\.attn\.c_attn +weight \(16, 48\), bias \(48\) +816 +[\d.]+%$/m,
      /^data +\d+ examples an epoch$/m,
      /^batch +4 × 16, 64 tokens that count in an update$/m,
      /^loss +\d\.\d{3} of the first batch; guessing evenly gives 5\.5\d\d$/m,
      /^memory +weights .*, activations .* \(measured\)$/m,
      /^step +[\d.]+ m?s: .* a batch forward and backward .* the update$/m,
      /^run +12 steps in about \d+s, /m,
      /^disk +[\d.]+ [kM]B of checkpoints/m,
      /^ok {2}nothing was trained and nothing was written; 12 steps to go$/m,
    ])
      expect(stdout).toMatch(line);
    expect(await project.files()).toEqual(before);
  });

  test("with --json, tells what the run's first events then say", async () => {
    const found = await dry("tale.yaml");
    expect(await project.files()).toEqual(before);
    const other = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    const events = parseEvents((await other.train("tale.yaml", "--json")).stdout);
    const [start] = ofType(events, "start");
    const [step] = ofType(events, "step");
    expect(found.type).toBe("dryRun");
    expect(found.parameters.total).toBe(start?.parameters);
    expect(found.components).toEqual(start?.components);
    expect(found.data).toEqual(start?.data);
    expect(found.run.steps).toBe(start?.maxSteps);
    expect(found.trial?.loss).toBe(step?.loss);
    expect(found.trial?.tokens).toBe(step?.tokens);
    expect(found.run.seconds).toBeCloseTo(12 * (found.trial?.seconds.step ?? 0), 9);
    const sum = found.parameters.parts.reduce((total, { parameters }) => total + parameters, 0);
    expect(sum).toBe(found.parameters.total);
  });

  test("knows how many updates passes over the data are, and what is frozen", async () => {
    const { maxSteps: _, ...trainer } = tinyRun.trainer;
    const passes = { ...tinyRun, trainer: { ...trainer, numTrainEpochs: 2, freeze: ["transformer.wpe.*"] } };
    await project.write("passes.json", JSON.stringify(passes));
    const found = await dry("passes.json");
    expect(found.run.steps).toBe(Math.ceil((2 * (found.data?.examples ?? 0)) / 4));
    expect(found.parameters.total - found.parameters.trained).toBe(16 * 16);
    expect(found.trial?.frozen).toEqual(["transformer.wpe.weight"]);
  });

  test("says less of a trainer that cannot be tried", async () => {
    const { code, stdout } = await project.run(["train", "own.json", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^step +this trainer cannot be tried/m);
    expect((await dry("own.json")).trial).toBeUndefined();
  });

  test.each([
    ["a mistake of the run file", ["--set", "trainer.batchSiez=3"], 2, /batchSiez: unknown option/],
    ["a run directory that is taken", ["--out", "."], 2, /is not empty/],
    ["two wishes at a time", ["--profile"], 2, /cannot be used with/],
    ["data without an example", ["--set", "data.path=empty.txt"], 1, /./],
  ])("refuses %s as training would", async (_, args, expected, message) => {
    await project.write("empty.txt", "");
    const { code, stdout, stderr } = await project.run(["train", "tale.yaml", "--dry-run", ...args]);
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toMatch(message);
  });
});
