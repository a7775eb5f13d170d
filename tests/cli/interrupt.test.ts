/** Ctrl-C and SIGTERM: the step is finished, a checkpoint is saved, and the run can be used. */
import { afterEach, expect, test } from "vitest";
import { ofType, Project, parseEvents, removeProjects } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

/** Longer than anybody waits. */
const endless = ["--set", "trainer.maxSteps=10000000", "--set", "trainer.evalSteps=10000000"];

afterEach(removeProjects);

async function newProject(files: Readonly<Record<string, string>> = {}): Promise<Project> {
  return Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml, ...files });
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s in the training saves a checkpoint of the last step, ends as interrupted and exits with 130",
  async (signal) => {
    const project = await newProject();
    const running = project.start(["train", "tale.yaml", "--out", "run", "--json", ...endless]);
    await running.prints(/"step":3,/);
    running.child.kill(signal);
    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(130);
    expect(stdout).toBe(await project.text("run", "metrics.ndjson"));
    const events = parseEvents(stdout);
    const { step } = ofType(events, "step").at(-1) ?? { step: 0 };
    expect(step).toBeGreaterThanOrEqual(3);
    const path = `checkpoints/step-${String(step).padStart(6, "0")}`;
    expect(events.slice(-2)).toEqual([
      { type: "checkpoint", step, path },
      { type: "end", step, reason: "interrupted" },
    ]);
    expect(await project.files(`run/${path}`)).toEqual([
      "config.json",
      "model.safetensors",
      "optimizer.safetensors",
      "state.json",
    ]);
  },
);

test("an interrupted run says so on stderr, and generates and evaluates", async () => {
  const project = await newProject();
  const running = project.start(["train", "tale.yaml", "--out", "run", ...endless]);
  await running.says(/step +1\b/);
  running.child.kill("SIGINT");
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
  expect(stderr).toMatch(/interrupted/);
  for (const args of [
    ["generate", "run", "--prompt", "the", "--max-new-tokens", "3"],
    ["evaluate", "run"],
  ]) {
    const result = await project.run(args);
    expect(result.code, result.stderr).toBe(0);
  }
});

test("a second Ctrl-C ends at once, though the trainer does not", async () => {
  const project = await newProject({
    "stuck.ts": `
      const stuck = {
        async *train({ signal }) {
          yield { type: "step", step: 1, loss: 1, learningRate: 1, gradientNorm: 1, tokens: 1, tokensPerSecond: 1 };
          await new Promise((resolve) => {
            setInterval(() => {}, 1000);
            signal.addEventListener("abort", resolve);
          });
          yield { type: "warning", code: "HEARD", message: "and going on" };
          await new Promise(() => {});
        },
      };
      export default {
        tokenizer: "byte",
        data: { name: "text", path: "corpus.txt" },
        model: { name: "gpt2", numHiddenLayers: 1, numAttentionHeads: 2, hiddenSize: 16, maxPositionEmbeddings: 16 },
        trainer: stuck,
      };`,
  });
  const running = project.start(["train", "stuck.ts", "--json"]);
  await running.prints(/"step":1,/);
  running.child.kill("SIGINT");
  await running.prints(/HEARD/);
  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(130);
});

test("Ctrl-C in generate ends the text and exits with 130", async () => {
  const project = await newProject();
  await project.train("tale.yaml", "--out", "run", "--set", "tokenizer=char");
  const running = project.start(["generate", "run", "--prompt", "the", "--max-new-tokens", "1000000"]);
  await running.prints(/the../);
  running.child.kill("SIGINT");
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
  expect(stdout).toMatch(/^the[\s\S]+\n$/);
});
