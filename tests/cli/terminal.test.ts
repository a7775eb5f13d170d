/** A run at a real terminal: what is on the screen while it trains, and what is left there. */
import { afterEach, expect, test } from "vitest";
import { Project, removeProjects } from "./project.ts";
import { AtTerminal } from "./pseudo-terminal.ts";
import { corpus, tinyYaml } from "./tiny.ts";

afterEach(removeProjects);

async function atTerminal(
  args: readonly string[],
  { files = {}, ...options }: { files?: Readonly<Record<string, string>>; env?: NodeJS.ProcessEnv } = {},
) {
  const project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml, ...files });
  return { project, terminal: new AtTerminal(["train", ...args], project.directory, options) };
}

/** A run file with something of its own. */
const tale = (own: string, slots: string) => `
  ${own}
  export default {
    tokenizer: "byte",
    data: { name: "text", path: "corpus.txt", validation: 0.1 },
    model: { name: "gpt2", numHiddenLayers: 1, numAttentionHeads: 2, hiddenSize: 16, maxPositionEmbeddings: 16 },
    trainer: { name: "causal_lm", maxSteps: 12, batchSize: 4, learningRate: 0.01, evalSteps: 6, sampleTokens: 0 },
    ${slots}
  };`;

test("leaves what is worth keeping, and takes its block and the hidden cursor back", async () => {
  const { terminal } = await atTerminal(["tale.yaml", "--out", "run"]);
  expect(await terminal.code).toBe(0);
  const all = terminal.screen.writes.join("");
  expect(all).toContain("━");
  expect(all).toContain("\u001b[?25l");
  expect(terminal.screen.showsCursor).toBe(true);
  const lines = await terminal.screen.lines();
  const at = lines.findIndex((line) => line.startsWith("codex-ml  tale"));
  expect(at).toBe(0);
  expect(lines.filter((line) => /━|^loss|preparing/.test(line))).toEqual([]);
  const [first, second, ...rest] = lines.filter((line) =>
    /^(step|saved|done|run| {2}(generate|evaluate))/.test(line),
  );
  expect(first).toMatch(
    /^step +6\/12 {2}train \d\.\d{3} {2}validation \d\.\d{3} .*perplexity .*bits\/byte .*accuracy$/,
  );
  expect(second).toMatch(/^step +12\/12 {2}train .* validation /);
  expect(rest).toEqual([
    "saved checkpoints/step-000012",
    expect.stringMatching(/^done {2}12 steps in \d+s$/),
    "run  run",
    expect.stringMatching(/^ {2}generate {2}npx codex-ml generate run --prompt "/),
    "  evaluate  npx codex-ml evaluate run",
  ]);
});

test("Ctrl-C finishes the step, saves, says how to go on, and gives the cursor back", async () => {
  const { terminal } = await atTerminal([
    ...["tale.yaml", "--out", "run", "--set", "trainer.maxSteps=10000000"],
    ...["--set", "trainer.evalSteps=10000000"],
  ]);
  await terminal.shows(/loss \d/);
  terminal.press("\u0003");
  expect(await terminal.code).toBe(130);
  expect(terminal.screen.showsCursor).toBe(true);
  const lines = await terminal.screen.lines();
  expect(lines).toContain("finishing this step, then saving; Ctrl-C again ends at once");
  expect(lines).toContain("  go on     npx codex-ml resume run");
  expect(lines.filter((line) => /━|^loss|\^C/.test(line))).toEqual([]);
});

test("a second Ctrl-C ends at once, and gives the cursor back", async () => {
  const stuck = `const stuck = {
    async *train({ signal }) {
      yield { type: "step", step: 1, loss: 1, learningRate: 1, gradientNorm: 1, tokens: 1, tokensPerSecond: 1 };
      await new Promise((resolve) => { setInterval(() => {}, 1000); signal.addEventListener("abort", resolve); });
      yield { type: "warning", code: "HEARD", message: "heard, and going on" };
      await new Promise(() => {});
    },
  };`;
  const files = { "stuck.ts": tale(stuck, "trainer: stuck,").replace(/trainer: \{.*\},\n/, "") };
  const { terminal } = await atTerminal(["stuck.ts"], { files });
  await terminal.shows(/loss 1\.000/);
  terminal.press("\u0003");
  await terminal.shows(/heard, and going on/);
  expect(terminal.screen.showsCursor).toBe(false);
  terminal.press("\u0003");
  expect(await terminal.code).toBe(130);
  expect(terminal.screen.showsCursor).toBe(true);
  expect(await terminal.screen.lines()).toContain("ended at once; what was not saved before is lost");
});

test("an error takes the block away, stays, and gives the cursor back", async () => {
  const own = `const broken = () => { throw new Error("division by nothing"); };`;
  const { terminal } = await atTerminal(["broken.ts", "--out", "run"], {
    files: { "broken.ts": tale(own, "metrics: [broken],") },
  });
  expect(await terminal.code).toBe(1);
  expect(terminal.screen.showsCursor).toBe(true);
  const lines = await terminal.screen.lines();
  const at = lines.indexOf('error  The metric "broken" (program) failed: division by nothing');
  expect(lines[at + 1]).toMatch(/^ {2}It came after step 6; checkpoints\/step-000006 is saved/);
  expect(lines.at(-1)).toBe("run directory: run");
  expect(lines.slice(at).join("\n")).not.toMatch(/loss|━/);
});

test("what a component prints itself stays above the block, whole", async () => {
  const own = `
    let calls = 0;
    const chatty = () => {
      console.log("metric call " + ++calls);
      process.stderr.write("half a line");
      return 1;
    };`;
  const { terminal } = await atTerminal(["chatty.ts"], {
    files: { "chatty.ts": tale(own, "metrics: [chatty],") },
  });
  expect(await terminal.code).toBe(0);
  const lines = await terminal.screen.lines();
  expect(lines.filter((line) => /^(metric|half|step|saved|done|loss)|━/.test(line))).toEqual([
    "metric call 1",
    "half a line",
    expect.stringMatching(/^step +6\/12 {2}train /),
    "metric call 2",
    "half a line",
    expect.stringMatching(/^step +12\/12 {2}train /),
    "saved checkpoints/step-000012",
    expect.stringMatching(/^done /),
  ]);
});

test.each([
  ["CI", { CI: "true" }],
  ["NO_COLOR and a dumb terminal", { NO_COLOR: "1", CI: "1" }],
])("with %s the lines are plain, and none is taken back", async (_, env) => {
  const { terminal } = await atTerminal(["tale.yaml"], { env });
  expect(await terminal.code).toBe(0);
  const all = terminal.screen.writes.join("");
  for (const sequence of ["\u001b[?", "\u001b[J", "\u001b[2A"]) expect(all).not.toContain(sequence);
  expect((await terminal.screen.lines()).filter((line) => /^step.* loss /.test(line))).toHaveLength(12);
});

test("with NO_COLOR the block is drawn without colours", async () => {
  const { terminal } = await atTerminal(["tale.yaml"], { env: { NO_COLOR: "1" } });
  expect(await terminal.code).toBe(0);
  const all = terminal.screen.writes.join("");
  expect(all).toContain("━");
  expect(all).not.toContain("\u001b[1m");
  expect(all).not.toContain("\u001b[36m");
});

test("--quiet prints where the run lies, and nothing else", async () => {
  const { terminal } = await atTerminal(["tale.yaml", "--out", "run", "--quiet"]);
  expect(await terminal.code).toBe(0);
  expect(await terminal.screen.lines()).toEqual(["run  run"]);
});
