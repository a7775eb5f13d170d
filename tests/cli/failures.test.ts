/** Asked wrongly: exit code 2 and nothing created. Failed work: exit code 1, and the run directory tells the same. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ofType, Project, parseEvents, removeProjects } from "./project.ts";
import { corpus, sentences, tinyYaml } from "./tiny.ts";

afterAll(removeProjects);

describe.concurrent("asked wrongly", () => {
  /** Runs what must be refused, in a project with these files; gives what it wrote on stderr. */
  async function refused(
    args: readonly string[],
    files: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const own = { "corpus.txt": corpus, "tale.yaml": tinyYaml, "kept/notes.txt": "mine", ...files };
    const project = await Project.create(own);
    const before = await project.files();
    const { code, stdout, stderr } = await project.run(args);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
    expect(await project.files()).toEqual(before);
    for (const [path, text] of Object.entries(own)) expect(await project.text(path)).toBe(text);
    // Nobody is helped by our stack.
    expect(stderr).not.toMatch(/^ {4}at /m);
    return stderr;
  }

  /** The tiny run with texts replaced, as `wrong.yaml`, refused. */
  async function refusedRun(replacements: Readonly<Record<string, string>>): Promise<string> {
    let text = tinyYaml;
    for (const [from, to] of Object.entries(replacements)) {
      expect(text.split(from)).toHaveLength(2);
      text = text.replace(from, to);
    }
    return refused(["train", "wrong.yaml"], { "wrong.yaml": text });
  }

  /** What was said about a place of `wrong.yaml`. */
  function problemAt(place: string, stderr: string): string {
    const problem = stderr.split(/^error {2}/m).find((text) => text.startsWith(`wrong.yaml:${place}: `));
    if (problem === undefined) throw new Error(`nothing is said about wrong.yaml:${place} in\n${stderr}`);
    return problem;
  }

  // A start of the program takes longer than all that it checks, so that mistakes of one sort share a run file.
  let wrongNames: string;
  let wrongOptions: string;
  let wrongValues: string;
  let wrongTop: string;
  beforeAll(async () => {
    [wrongNames, wrongOptions, wrongValues, wrongTop] = await Promise.all([
      refusedRun({
        "tokenizer: byte": "tokenizer: byt",
        "name: text": "name: txt",
        gpt2: "gpt-2",
        causal_lm: "casual_lm",
        bits_per_byte: "bits_per_bite",
      }),
      refusedRun({
        hiddenSize: "hidenSize",
        maxSteps: "maxStep",
        "validation:": "validaton:",
        "batchSize: 4": "zzz: 4",
      }),
      refusedRun({
        "maxSteps: 12": "maxSteps: many",
        "batchSize: 4": "batchSize: 1.5",
        "learningRate: 0.01": "learningRate: -1",
        "numAttentionHeads: 2": "numAttentionHeads: 3",
        "path: corpus.txt": "path: corpse.txt",
      }),
      refusedRun({
        "seed: 1337": "seed: lucky",
        "tokenizer: byte": "tokenizer: 7",
        "metrics: [perplexity, bits_per_byte, token_accuracy]": "metrics: perplexity\ndirectry: .",
      }),
    ]);
  });

  test.each([
    ["an unknown tokenizer", () => wrongNames, "2:12", "byte"],
    ["an unknown data loader", () => wrongNames, "3:15", "text"],
    ["an unknown model", () => wrongNames, "5:9", "gpt2"],
    ["an unknown trainer", () => wrongNames, "11:9", "causal_lm"],
    ["an unknown metric", () => wrongNames, "17:23", "bits_per_byte"],
    ["an unknown option of the data", () => wrongOptions, "3:39", "validation"],
    ["an unknown option of the model", () => wrongOptions, "8:3", "hiddenSize"],
    ["an unknown option of the trainer", () => wrongOptions, "12:3", "maxSteps"],
    ["an unknown key at the top", () => wrongTop, "18:1", "directory"],
  ])("%s is pointed at, with the closest name", (_, stderr, place, closest) => {
    expect(problemAt(place, stderr())).toMatch(new RegExp(`did you mean [^?]*"${closest}"`, "i"));
  });

  test("an option that is like none lists those that there are", () => {
    const problem = problemAt("13:3", wrongOptions);
    for (const option of ["maxSteps", "batchSize", "learningRate", "warmupSteps"])
      expect(problem).toContain(option);
  });

  test.each([
    ["text for a number", () => wrongValues, "12:13", /number/],
    ["a fraction for a count", () => wrongValues, "13:14", /int/],
    ["a number out of range", () => wrongValues, "14:17", />\s*0|greater|positive/],
    ["heads that do not divide the model", () => wrongValues, "7:22", /hiddenSize/],
    ["data that is not there", () => wrongValues, "3:27", /corpse\.txt/],
    ["text for the seed", () => wrongTop, "1:7", /number/],
    ["a number for a name", () => wrongTop, "2:12", /name of a tokenizer/],
    ["one metric for a list", () => wrongTop, "17:10", /list/],
  ])("%s: the value is pointed at, and what was expected is told", (_, stderr, place, expected) => {
    expect(problemAt(place, stderr())).toMatch(expected);
  });

  test("data without a path is told", async () => {
    expect(await refusedRun({ "path: corpus.txt, ": "" })).toMatch(/wrong\.yaml:3:\d+: .*path/);
  });

  test("a part that is missing is told", async () => {
    expect(await refusedRun({ "tokenizer: byte\n": "" })).toMatch(/wrong\.yaml.*tokenizer.*missing/);
  });

  test("a mistake at the top does not hide those in the components", async () => {
    const stderr = await refusedRun({ seed: "sede", "byte\n": "byt\n", hiddenSize: "hidenSize" });
    for (const place of ["1:1", "2:12", "8:3"]) expect(stderr).toContain(`wrong.yaml:${place}: `);
  });

  test.each([
    [
      "broken YAML",
      "wrong.yaml",
      "tokenizer: byte\nmodel: { name: gpt2\ntrainer: causal_lm\n",
      /wrong\.yaml:3:/,
    ],
    ["broken JSON", "wrong.json", '{ "tokenizer": "byte",\n  "model": }\n', /wrong\.json:2:/],
    ["a key that is given twice", "wrong.yaml", `${tinyYaml}seed: 2\n`, /wrong\.yaml:18:1: .*twice/],
    ["an empty file", "wrong.yaml", "", /wrong\.yaml.*empty/],
    ["a list", "wrong.yaml", "- byte\n- gpt2\n", /wrong\.yaml:1:1: .*mapping/],
    ["TypeScript that throws", "wrong.ts", 'throw new Error("not today");\n', /wrong\.ts.*not today/],
    [
      "TypeScript without a default export",
      "wrong.ts",
      "export const run = {};\n",
      /wrong\.ts.*export default/,
    ],
  ])("%s is told with its place", async (_, file, text, expected) => {
    expect(await refused(["train", file], { [file]: text })).toMatch(expected);
  });

  test("an unknown option in a TypeScript run file is told by its path, with the closest name", async () => {
    const text = `export default { tokenizer: "byte", data: { name: "text", path: "corpus.txt" },
      model: { name: "gpt2", hidenSize: 16 }, trainer: { name: "causal_lm", maxSteps: 1 } };`;
    const stderr = await refused(["train", "wrong.ts"], { "wrong.ts": text });
    expect(stderr).toMatch(/wrong\.ts: model\.hidenSize: .*"hiddenSize"/);
  });

  test("a run file that is not there is told, with the closest that is", async () => {
    expect(await refused(["train", "tail.yaml"])).toMatch(/tail\.yaml: .*"tale\.yaml"/);
  });

  test("a file that is no run file by its name is told", async () => {
    expect(await refused(["train", "corpus.txt"])).toMatch(/corpus\.txt.*\.yaml/);
  });

  test.each([
    ["no value", "trainer.maxSteps", /--set trainer\.maxSteps/],
    ["an unknown option", "trainer.maxStep=3", /--set trainer\.maxStep: .*"maxSteps"/],
    ["an unknown key", "trainr.maxSteps=3", /--set trainr.*"trainer"/],
    ["an unknown component", "tokenizer=byt", /--set tokenizer: [\s\S]*"byte"/],
    ["a wrong type", "trainer.maxSteps=many", /--set trainer\.maxSteps: .*number/],
    ["a prototype", "__proto__.x=1", /--set __proto__.*unknown key/],
    [
      "a prototype further down",
      "model.__proto__.x=1",
      /--set model\.__proto__: this key leads to the prototype/,
    ],
    [
      "a prototype by its maker",
      "trainer.constructor.prototype.x=1",
      /--set trainer\.constructor: this key leads to the prototype/,
    ],
    ["data that is not there", "data.path=corpse.txt", /--set data\.path: .*corpse\.txt/],
  ])("--set with %s is refused, and named as it was typed", async (_, setting, expected) => {
    expect(await refused(["train", "tale.yaml", "--set", setting])).toMatch(expected);
  });

  test("--out refuses a folder that holds something, and leaves it as it was", async () => {
    expect(await refused(["train", "tale.yaml", "--out", "kept"])).toMatch(/kept.*--out/);
  });

  test("--out refuses a file, and leaves it as it was", async () => {
    expect(await refused(["train", "tale.yaml", "--out", "corpus.txt"])).toContain("corpus.txt");
  });

  test.each([
    ["an unknown command, with the closest", ["trian", "tale.yaml"], /trian[\s\S]*train/],
    ["an unknown flag, with the closest", ["train", "tale.yaml", "--jsn"], /--jsn[\s\S]*--json/],
    ["a run file that is missing", ["train"], /run-file/],
    ["an argument too many", ["train", "tale.yaml", "tale.yaml"], /too many arguments/],
    ["a run directory that is missing", ["evaluate"], /run-dir/],
    ["a prompt that is missing", ["generate", "kept"], /--prompt/],
    ["an unknown split, with those that there are", ["evaluate", "kept", "--split", "dev"], /validation/],
    ["a temperature that is no number", ["generate", "kept", "--prompt", "a", "--temperature", "hot"], /hot/],
    ["a temperature below 0", ["generate", "kept", "--prompt", "a", "--temperature", "-1"], /--temperature/],
    ["a fraction of a token", ["generate", "kept", "--prompt", "a", "--max-new-tokens", "1.5"], /1\.5/],
    ["the 0 most likely tokens", ["generate", "kept", "--prompt", "a", "--top-k", "0"], /--top-k/],
    ["a probability above 1", ["generate", "kept", "--prompt", "a", "--top-p", "1.1"], /--top-p/],
    ["a seed that is no number", ["generate", "kept", "--prompt", "a", "--seed", "x"], /--seed/],
    ["a kind that is like one, with the closest", ["plugins", "list", "--kind", "metric"], /"metrics"/],
    [
      "a kind that is like none, with those that there are",
      ["plugins", "list", "--kind", "zzz"],
      /tokenizers/,
    ],
  ])("%s: told on stderr", async (_, args, expected) => {
    expect(await refused(args)).toMatch(expected);
  });
});

describe.concurrent("failed work", () => {
  interface Failure {
    readonly code: string;
    readonly message: string;
  }

  /** Trains what must fail on the way, with this corpus; gives the error that stderr and the run directory share. */
  async function failed(text: string | Uint8Array, ...settings: string[]): Promise<Failure> {
    const project = await Project.create({ "tale.yaml": tinyYaml });
    await project.write("corpus.txt", text);
    const args = settings.flatMap((setting) => ["--set", setting]);
    const { code, stdout, stderr } = await project.run(["train", "tale.yaml", ...args]);
    expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: "" });
    const run = await project.onlyRun();
    const events = await project.events(run);
    const last = events.at(-1);
    if (last?.type !== "error") throw new Error(`the last event is ${JSON.stringify(last)}`);
    expect(ofType(events, "end")).toEqual([]);
    for (const line of last.message.split("\n")) expect(stderr).toContain(line.trim());
    expect(stderr).toContain(run);
    const files = await project.files(run);
    expect(files).toEqual(expect.arrayContaining(["manifest.json", "run.yaml"]));
    // What was learned before it failed is kept; where nothing was, nothing is made up.
    expect(files.some((file) => file.endsWith(".safetensors"))).toBe(ofType(events, "step").length > 0);
    return last;
  }

  test("an empty text ends the run with an error that says so", async () => {
    expect((await failed("")).message).toMatch(/empty/);
  });

  test("a text too short for one sequence ends the run with an error that has both lengths", async () => {
    const { message } = await failed("too short");
    expect(message).toMatch(/\b17\b/);
    expect(message).toMatch(/train/);
  });

  test("a held-out text too short to evaluate on ends the run with an error that names the split", async () => {
    expect((await failed(sentences(3), "data.validation=0.01")).message).toMatch(/validation/);
  });

  test("text that is no UTF-8 ends the run with an error that names the file", async () => {
    const text = Buffer.concat([Buffer.from(corpus), Buffer.from([0xff, 0xfe])]);
    expect((await failed(text)).message).toMatch(/corpus\.txt.*UTF-8/);
  });

  test("a vocabulary larger than the model's ends the run with an error that has both sizes", async () => {
    const { message } = await failed(corpus, "model.vocabSize=100");
    expect(message).toMatch(/\b257\b/);
    expect(message).toMatch(/\b100\b/);
  });

  test("a loss that is no number ends the run with an error that names the step and what helps", async () => {
    const { code, message } = await failed(corpus, "trainer.learningRate=1.0e30", "trainer.maxGradNorm=0");
    expect(code).toBe("NOT_FINITE");
    expect(message).toMatch(/step \d+.*(NaN|Infinity)/i);
    expect(message).toMatch(/learningRate/);
  });

  test("sequences longer than the model's end the run with an error that has both lengths", async () => {
    const { message } = await failed(corpus, "trainer.sequenceLength=20");
    expect(message).toMatch(/\b20\b/);
    expect(message).toMatch(/\b16\b/);
  });

  test("with --json the error is the last line of stdout and on stderr too", async () => {
    const project = await Project.create({ "corpus.txt": "too short", "tale.yaml": tinyYaml });
    const { code, stdout, stderr } = await project.run(["train", "tale.yaml", "--json"]);
    expect(code).toBe(1);
    expect(stdout).toBe(await project.text(await project.onlyRun(), "metrics.ndjson"));
    const last = parseEvents(stdout).at(-1);
    expect(last).toEqual({ type: "error", code: expect.any(String), message: expect.any(String) });
    expect(stderr).toContain(last?.type === "error" ? last.message : "the error");
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test("a reader of --json that goes away is told in the run directory, and no stack is printed", async () => {
    const project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    const running = project.start(["train", "tale.yaml", "--json", "--set", "trainer.maxSteps=300"]);
    await running.prints(/"step":3,/);
    running.child.stdout?.destroy();
    const { stderr } = await running.ended;
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect((await project.events(await project.onlyRun())).at(-1)?.type).toMatch(/^(error|end)$/);
  });
});
