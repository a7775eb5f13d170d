/** `codex-ml evaluate` and `codex-ml generate` on trained runs. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EvaluationEvent } from "../../src/trainers/index.ts";
import { ofType, Project, parseEvents, type Result, removeProjects } from "./project.ts";
import { corpus, sentences, tinyYaml } from "./tiny.ts";

const held = sentences(20, 150);

let project: Project;
beforeAll(async () => {
  project = await Project.create({
    "corpus.txt": corpus,
    "held.txt": held,
    "tale.yaml": tinyYaml.replace("validation: 0.1", "validation: held.txt"),
    "empty.txt": "",
  });
  await Promise.all([
    project.train("tale.yaml", "--out", "run"),
    project.train("tale.yaml", "--out", "bpe", "--set", "tokenizer={ name: bpe, vocabSize: 280 }"),
    project.train("tale.yaml", "--out", "char", "--set", "tokenizer=char"),
    // The training fails before there is a checkpoint.
    project.run(["train", "tale.yaml", "--out", "failed", "--set", "data.path=empty.txt"]),
  ]);
  await project.write("folder/notes.txt", "mine");
  await project.copy("run", "many/one");
  await project.copy("run", "damaged");
  const weights = await project.bytes("run/checkpoints/step-000012/model.safetensors");
  const middle = Math.floor(weights.length / 2);
  weights[middle] = (weights[middle] ?? 0) ^ 1;
  await project.write("damaged/checkpoints/step-000012/model.safetensors", weights);
  await project.train("tale.yaml", "--out", "older", "--set", "trainer.saveSteps=6");
  await project.write("older/checkpoints/step-000012/model.safetensors", weights);
});
afterAll(removeProjects);

/** Runs what must go well; gives stdout. */
async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** Runs what must fail with this code; gives what it wrote on stderr. */
async function failed(code: number, ...args: string[]): Promise<string> {
  const result: Result = await project.run(args);
  expect({ code: result.code, stdout: result.stdout }, result.stderr).toEqual({ code, stdout: "" });
  expect(result.stderr).not.toMatch(/^ {4}at /m);
  return result.stderr;
}

describe.concurrent("evaluate", () => {
  async function evaluated(run: string, ...args: string[]): Promise<EvaluationEvent> {
    const events = parseEvents(await printed("evaluate", run, ...args, "--json"));
    expect(events).toHaveLength(1);
    const [event] = ofType(events, "evaluation");
    if (event === undefined) throw new Error("no evaluation");
    return event;
  }

  const lastEvaluation = async (run: string): Promise<EvaluationEvent> => {
    const event = ofType(await project.events(run), "evaluation").at(-1);
    if (event === undefined) throw new Error(`${run} was never evaluated`);
    return event;
  };

  function expectSame(event: EvaluationEvent, last: EvaluationEvent): void {
    expect(event.tokens).toBe(last.tokens);
    expect(event.loss).toBeCloseTo(last.loss, 6);
    expect(Object.keys(event.metrics)).toEqual(Object.keys(last.metrics));
    for (const [name, value] of Object.entries(event.metrics))
      expect(Math.abs(Number(value) / Number(last.metrics[name]) - 1)).toBeLessThan(1e-6);
  }

  test("prints loss and metrics of the run's last evaluation", async () => {
    const stdout = await printed("evaluate", "run");
    const { loss, metrics } = await lastEvaluation("run");
    for (const [name, value] of Object.entries({ loss, ...metrics }))
      expect(stdout).toMatch(new RegExp(`^ *${name} +${Number(value).toFixed(4).replace(".", "\\.")}$`, "m"));
  });

  test.each(["run", "bpe", "char"])(
    "--json gives the event of the last evaluation again (%s)",
    async (run) => {
      const event = await evaluated(run);
      const last = await lastEvaluation(run);
      expect(Object.keys(event)).toEqual(Object.keys(last));
      expect(event).toMatchObject({ step: 12, split: "validation" });
      expectSame(event, last);
    },
  );

  test("--data evaluates on all the text of another file", async () => {
    const event = await evaluated("run", "--data", "held.txt");
    expect(event.tokens).toBe(Buffer.byteLength(held) - 1);
    expectSame(event, await lastEvaluation("run"));
  });

  test("--data is found from the working directory", async () => {
    await project.write("elsewhere/text.txt", sentences(5));
    const args = ["evaluate", "../run", "--data", "text.txt", "--json"];
    const { code, stdout, stderr } = await project.run(args, { cwd: project.path("elsewhere") });
    expect(code, stderr).toBe(0);
    expect(parseEvents(stdout)).toMatchObject([{ tokens: Buffer.byteLength(sentences(5)) - 1 }]);
  });

  test("--split train evaluates on what was learned from", async () => {
    const event = await evaluated("run", "--split", "train");
    expect(event).toMatchObject({ split: "train", tokens: Buffer.byteLength(corpus) - 1 });
  });

  test("a split that the data does not have was asked wrongly; the error lists those that there are", async () => {
    const stderr = await failed(2, "evaluate", "run", "--split", "test");
    expect(stderr).toMatch(/test/);
    expect(stderr).toMatch(/train.*validation/);
  });

  test("data that is not there was asked wrongly, and is named", async () => {
    expect(await failed(2, "evaluate", "run", "--data", "nowhere.txt")).toMatch(/nowhere\.txt/);
  });

  test("an empty text is an error, not a loss", async () => {
    expect(await failed(1, "evaluate", "run", "--data", "empty.txt")).toMatch(/empty/);
  });

  test("leaves the run directory as it was", async () => {
    const before = [await project.files("run"), await project.text("run/metrics.ndjson")];
    await printed("evaluate", "run");
    expect([await project.files("run"), await project.text("run/metrics.ndjson")]).toEqual(before);
  });

  test("a run directory that was moved away from its data says what it misses", async () => {
    const elsewhere = await Project.create();
    await elsewhere.copy(project.path("run"), "far/away/run");
    const { code, stderr } = await elsewhere.run(["evaluate", "far/away/run"]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/run\.yaml:\d+:\d+: data/);
  });
});

describe.concurrent.each([
  ["evaluate", []],
  ["generate", ["--prompt", "the"]],
])("%s says what is wrong with", (command, rest) => {
  test("a folder that is not there", async () => {
    expect(await failed(2, command, "nowhere", ...rest)).toMatch(/nowhere/);
  });

  test("a folder that is no run", async () => {
    expect(await failed(2, command, "folder", ...rest)).toMatch(/folder.*not a run/);
  });

  test("a folder that holds runs, naming one", async () => {
    expect(await failed(2, command, "many", ...rest)).toMatch(/many\/one/);
  });

  test("a run without a checkpoint", async () => {
    expect(await failed(2, command, "failed", ...rest)).toMatch(/failed.*checkpoint/);
  });

  test("a checkpoint in which one bit is wrong", async () => {
    expect(await failed(1, command, "damaged", ...rest)).toMatch(/step-000012.*model\.safetensors/);
  });

  test("a newer checkpoint that is damaged, and reads the one before when told to", async () => {
    expect(await failed(1, command, "older", ...rest)).toMatch(
      /the newest checkpoint is damaged:\n.*step-000012.*model\.safetensors: .*\nThe one before it, checkpoints\/step-000006, is whole: to read that, say --fallback/,
    );
    const { code, stderr } = await project.run([command, "older", "--fallback", ...rest]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /note {2}.*step-000012.*model\.safetensors: .*The one before it is read instead: checkpoints\/step-000006/,
    );
  });
});

describe.concurrent("generate", () => {
  const prompt = "the old cat";
  const generated = (run: string, ...args: string[]): Promise<string> =>
    printed("generate", run, "--prompt", prompt, "--max-new-tokens", "30", ...args);

  test("prints the prompt first, then as many characters as tokens were asked for", async () => {
    const text = await generated("char", "--temperature", "0");
    expect(text.startsWith(prompt)).toBe(true);
    expect([...text]).toHaveLength(prompt.length + 30 + "\n".length);
    expect(text.endsWith("\n")).toBe(true);
  });

  test("equal seeds give equal text", async () => {
    expect(await generated("char", "--seed", "5")).toBe(await generated("char", "--seed", "5"));
  });

  test("another seed gives other text", async () => {
    expect(await generated("char", "--seed", "5")).not.toBe(await generated("char", "--seed", "6"));
  });

  test("temperature 0 always takes the most likely token, whatever the seed", async () => {
    const text = await generated("char", "--temperature", "0", "--seed", "5");
    expect(await generated("char", "--temperature", "0", "--seed", "6")).toBe(text);
    expect(await generated("char", "--top-k", "1", "--temperature", "2")).toBe(text);
    expect(await generated("char", "--top-p", "0.000001", "--temperature", "2")).toBe(text);
  });

  test("writes what the training's sample wrote, from its prompt, temperature and seed", async () => {
    const [sample] = ofType(await project.events("char"), "sample");
    const text = await printed(
      ...["generate", "char", "--prompt", sample?.prompt ?? "", "--max-new-tokens", "8"],
      ...["--temperature", "0.8", "--seed", "1337"],
    );
    expect(text).toBe(`${sample?.prompt}${sample?.text}\n`);
  });

  test("a model that has seen more writes the words that it has seen", async () => {
    await project.train(
      ...["tale.yaml", "--out", "learned", "--set", "tokenizer=char", "--set", "trainer.maxSteps=200"],
      ...["--set", "trainer.batchSize=16", "--set", "trainer.evalSteps=200"],
    );
    const text = await generated("learned", "--temperature", "0");
    const words = new Set(corpus.split(/[^a-z]+/));
    const written = text
      .trim()
      .split(/[^a-z]+/)
      .slice(0, -1);
    const known = written.filter((word) => words.has(word));
    expect(known.length / written.length).toBeGreaterThan(0.7);
  });

  test("a prompt longer than the model's window is gone on from", async () => {
    const long = sentences(3).trim();
    const text = await printed(
      "generate",
      "char",
      "--prompt",
      long,
      "--max-new-tokens",
      "5",
      "--temperature",
      "0",
    );
    expect([...text]).toHaveLength(long.length + 5 + "\n".length);
  });

  test.each(["run", "bpe"])(
    "a prompt of emoji and combining marks comes back as it was (%s)",
    async (run) => {
      const hostile = "👩‍👩‍👧 é ﷽\n";
      const text = await printed("generate", run, "--prompt", hostile, "--max-new-tokens", "5");
      expect(text.startsWith(hostile)).toBe(true);
    },
  );

  test.each(["run", "bpe"])("an empty prompt starts from the end-of-text token (%s)", async (run) => {
    const text = await printed("generate", run, "--prompt", "", "--max-new-tokens", "20", "--seed", "3");
    expect(text.length).toBeGreaterThan(1);
  });

  test("a prompt may begin with dashes", async () => {
    const text = await printed("generate", "run", "--prompt", "-- the", "--max-new-tokens", "1");
    expect(text.startsWith("-- the")).toBe(true);
  });

  interface Written {
    readonly prompt: string;
    readonly sequence: number;
    readonly text: string;
    readonly finishReason: string;
  }
  const written = async (...args: string[]): Promise<Written[]> => {
    const lines = (await printed("generate", "char", ...args, "--max-new-tokens", "12", "--json")).split(
      "\n",
    );
    expect(lines.pop()).toBe("");
    return lines.map((line) => JSON.parse(line));
  };

  test("several prompts are gone on from as each by itself, in their order", async () => {
    const prompts = ["the old cat", "a", "the small dog saw the"];
    const flags = prompts.flatMap((prompt) => ["--prompt", prompt]);
    const all = await written(...flags, "--seed", "5");
    expect(all.map(({ prompt }) => prompt)).toEqual(prompts);
    for (const one of all) expect(await written("--prompt", one.prompt, "--seed", "5")).toEqual([one]);
    const text = await printed("generate", "char", ...flags, "--max-new-tokens", "12", "--seed", "5");
    expect(text).toBe(all.map(({ prompt, text }) => `${prompt}${text}\n`).join("\n"));
  });

  test("prompts come from a file, a line each, or as JSON Lines with line breaks", async () => {
    await project.write("prompts.txt", "the old cat\na\n");
    await project.write("prompts.jsonl", '{"prompt":"the old cat"}\n"a\\nb"\n');
    const names = async (file: string) => (await written("--prompts", file)).map(({ prompt }) => prompt);
    expect(await names("prompts.txt")).toEqual(["the old cat", "a"]);
    expect(await names("prompts.jsonl")).toEqual(["the old cat", "a\nb"]);
    await project.write("wrong.jsonl", '"a"\n{"text":"b"}\n');
    expect(await failed(2, "generate", "char", "--prompts", "wrong.jsonl")).toMatch(
      /wrong\.jsonl:2: expected a string/,
    );
    expect(await failed(2, "generate", "char", "--prompts", "no.txt")).toMatch(
      /no\.txt: there is no such file/,
    );
    expect(await failed(2, "generate", "char")).toMatch(/no prompt.*--prompt TEXT/);
  });

  test("several texts of a prompt differ, and do not depend on how many are written at once", async () => {
    const args = ["--prompt", prompt, "--num-return-sequences", "4", "--temperature", "2", "--seed", "1"];
    const all = await written(...args);
    expect(all.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
    expect(new Set(all.map(({ text }) => text)).size).toBe(4);
    expect(await written(...args, "--batch-size", "3")).toEqual(all);
  });

  test("a stop string ends the text before it, and the reason says so", async () => {
    const [whole] = await written("--prompt", prompt, "--temperature", "0");
    expect(whole).toMatchObject({ finishReason: "length" });
    const stop = whole?.text.slice(4, 7) ?? "";
    const [cut] = await written("--prompt", prompt, "--temperature", "0", "--stop", "@", "--stop", stop);
    expect(cut).toMatchObject({
      text: whole?.text.slice(0, whole.text.indexOf(stop)),
      finishReason: "stop_sequence",
    });
  });

  test("min-p of 1 takes the most likely token, and a repetition penalty changes the text", async () => {
    const [greedy] = await written("--prompt", prompt, "--temperature", "0");
    expect(await written("--prompt", prompt, "--min-p", "1")).toEqual([greedy]);
    const [other] = await written("--prompt", prompt, "--temperature", "0", "--repetition-penalty", "5");
    expect(other?.text).not.toBe(greedy?.text);
  });

  test("Ctrl-C ends the text where it is, with exit code 130", async () => {
    const running = project.start(["generate", "char", "--prompt", prompt, "--max-new-tokens", "1000000"]);
    await running.prints(/the old cat../);
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect(stdout.endsWith("\n")).toBe(true);
  });

  test("a reader that goes away ends it without a stack", async () => {
    const running = project.start(["generate", "char", "--prompt", prompt, "--max-new-tokens", "100000"]);
    await running.prints(/the old cat../);
    running.child.stdout?.destroy();
    expect((await running.ended).stderr).not.toMatch(/^ {4}at /m);
  });
});
