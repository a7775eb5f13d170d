/** `codex-ml init`: what it writes fits the data, trains at once, and replaces nothing. */
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Answer, atTerminal, keys } from "../plugins/terminal.ts";
import { ofType, Project, removeProjects } from "./project.ts";
import { corpus, sentences } from "./tiny.ts";

afterEach(removeProjects);

const tickets = Array.from({ length: 120 }, (_, index) =>
  index % 2 === 0
    ? { id: index, body: `pay the bill number ${index}`, queue: "money" }
    : { id: index, body: `the screen ${index} is broken`, queue: "repair" },
);
const csv = `id,body,queue\n${tickets.map(({ id, body, queue }) => `${id},"${body}",${queue}\n`).join("")}`;
const jsonl = tickets.map(({ body, queue }) => `${JSON.stringify({ text: body, label: queue })}\n`).join("");

async function init(files: Record<string, string>, ...args: string[]) {
  const project = await Project.create(files);
  return { project, ...(await project.run(["init", ...args])) };
}

/** The run file that was written, as data. */
async function written(files: Record<string, string>, ...args: string[]) {
  const { project, code, stderr } = await init(files, ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return parse(await project.text("run.yaml"));
}

describe("what it writes is checked and trains", () => {
  // Short, so that the whole file is tried and no time is spent.
  const short = ["--set", "trainer.maxSteps=2", "--set", "trainer.warmupSteps=0"];

  test("a language model of a text, which needs no flag when it is the only data", async () => {
    const { project, code, stdout } = await init({ "book.txt": corpus });
    expect(code).toBe(0);
    expect(stdout).toMatch(/wrote +run.yaml: causal_lm on book.txt, read by text/);
    const text = await project.text("run.yaml");
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/run\.schema\.json\n/);
    expect(JSON.parse(await project.text("run.schema.json")).title).toBe("Codex ML run file");
    const check = await project.run(["config", "check", "run.yaml"]);
    expect(check).toMatchObject({ code: 0, stderr: "" });
    await project.train("run.yaml", "--out", "out", ...short);
    const events = await project.events("out");
    // Of so short a book.
    expect(ofType(events, "warning").map(({ code }) => code)).toEqual(["VALIDATION_SMALL"]);
    expect(ofType(events, "evaluation").at(-1)?.metrics).toHaveProperty("perplexity");
  });

  test("a classifier of CSV, as TypeScript, in a folder of its own", async () => {
    const { project, code } = await init(
      { "tickets.csv": csv },
      ...["runs-of-mine", "--data", "tickets.csv", "--label", "queue", "--format", "ts"],
    );
    expect(code).toBe(0);
    await project.linkCodexMl();
    expect(await project.text("runs-of-mine/run.ts")).toContain(
      'columns: { text: "body", label: "queue" }, // there are id, body, queue',
    );
    await project.train("runs-of-mine/run.ts", "--out", "out", "--set", "trainer.numTrainEpochs=1");
    const [start] = ofType(await project.events("out"), "start");
    expect(start?.components.map(({ name }) => name)).toContain("embedding_bag");
  });

  test("a masked language model of JSON Lines, as JSON", async () => {
    const { project, code } = await init(
      { "texts.jsonl": jsonl },
      ...["--task", "masked-lm", "--format", "json", "--yes"],
    );
    expect(code).toBe(0);
    expect(JSON.parse(await project.text("run.json"))).toMatchObject({ $schema: "./run.schema.json" });
    await project.train("run.json", "--out", "out", ...short);
  });

  test("a language model of source code", async () => {
    // By a digest of their text, a tenth of the files are held out: of a few it may be none.
    const files = Array.from({ length: 40 }, (_, index) => [`src/${index}.ts`, sentences(20, index)]);
    const { project, code } = await init(Object.fromEntries(files));
    expect(code).toBe(0);
    await project.train("run.yaml", "--out", "out", ...short);
  });
});

describe("what it sees in the data", () => {
  test.each<[string, Record<string, string>, string[], object]>([
    ["text", { "a.txt": corpus }, [], { data: { name: "text", path: "a.txt", validation: 0.1 } }],
    [
      "the columns by their usual names",
      { "a.jsonl": jsonl },
      [],
      { data: { name: "jsonl", columns: { label: "label" } }, trainer: { name: "sequence_classification" } },
    ],
    ["the column with the longest text", { "a.csv": csv }, [], { data: { columns: { text: "body" } } }],
    [
      "records without classes",
      { "a.jsonl": '{"content":"a b c","when":3}\n' },
      [],
      { data: { columns: { text: "content" } }, trainer: { name: "causal_lm" } },
    ],
    ["tabs", { "a.tsv": "text\tlabel\nx y\t1\n" }, [], { data: { name: "csv" } }],
    [
      "a folder by what most of its files are",
      { "data/a.csv": csv, "data/b.csv": csv, "data/notes.txt": "x" },
      ["--data", "data", "--label", "queue"],
      { data: { name: "csv", path: "data" }, trainer: { name: "sequence_classification" } },
    ],
  ])("%s", async (_, files, args, expected) => {
    expect(await written(files, ...args)).toMatchObject(expected);
  });

  test("what is compressed", async () => {
    const project = await Project.create();
    await project.write("a.jsonl.gz", gzipSync(jsonl));
    expect(await project.run(["init"])).toMatchObject({ code: 0, stderr: "" });
    expect(parse(await project.text("run.yaml"))).toMatchObject({
      data: { name: "jsonl", path: "a.jsonl.gz" },
    });
  });
});

test("a file that is there stays, unless --force says otherwise", async () => {
  const { project, code, stderr } = await init({ "book.txt": corpus, "run.yaml": "mine" });
  expect(code).toBe(2);
  expect(stderr).toContain("run.yaml is there already. --force replaces it");
  expect(await project.text("run.yaml")).toBe("mine");
  expect(await project.files()).toEqual(["book.txt", "run.yaml"]);
  expect(await project.run(["init", "--force"])).toMatchObject({ code: 0 });
  expect(await project.text("run.yaml")).toContain("gpt2");
});

test("a schema that is somebody else's stays, too", async () => {
  const { project, code, stderr } = await init({ "book.txt": corpus, "run.schema.json": "{}" });
  expect({ code, text: await project.text("run.schema.json") }).toEqual({ code: 2, text: "{}" });
  expect(stderr).toContain("run.schema.json is there already");
});

describe("what cannot be is said, and nothing is written", () => {
  test.each<[string, Record<string, string>, string[], string]>([
    ["no data", {}, [], "No data was found here. Say where it is: codex-ml init --data book.txt"],
    [
      "several data",
      { "a.txt": "x", "b.csv": "y" },
      [],
      "Which data is meant: a.txt, b.csv? Say it with --data.",
    ],
    ["data that is not there", {}, ["--data", "b.txt"], "There is no file or folder b.txt."],
    ["an unknown kind", { "a.xml": "x" }, ["--data", "a.xml"], "Nothing here reads a.xml"],
    ["a folder of nothing", { "d/a.xml": "x" }, ["--data", "d"], "No file below d can be trained on"],
    ["a file of code", { "a.ts": "x" }, ["--data", "a.ts"], "give the folder that holds it"],
    ["records without text", { "a.jsonl": '{"n":1}\n' }, [], "Which column of a.jsonl is the text?"],
    ["broken records", { "a.jsonl": "{\n" }, [], "is not JSON"],
    ["no records", { "a.csv": "a,b\n" }, [], "has no records"],
    ["an unknown column", { "a.csv": csv }, ["--label", "kind"], "--label names none of them"],
    ["a task", { "a.txt": "x" }, ["--task", "translate"], 'There is no task "translate"; expected causal_lm'],
    ["a format", { "a.txt": "x" }, ["--format", "toml"], 'There is no format "toml"; expected yaml'],
    [
      "a classifier without classes",
      { "a.txt": "x" },
      ["--task", "sequence_classification"],
      "A classifier needs the class of each text",
    ],
    [
      "a classifier of unnamed classes",
      { "a.csv": csv },
      ["--task", "sequence_classification"],
      "Which column of a.csv is the class? Say it with --label: id, queue.",
    ],
  ])("%s", async (_, files, args, message) => {
    const { project, code, stdout, stderr } = await init(files, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect((await project.files()).filter((file) => file.startsWith("run."))).toEqual([]);
  });
});

describe("at a terminal", () => {
  const which: Answer = { to: /What is to be learned from\?[\s\S]*another/, keys: keys.enter };
  const task: Answer = { to: /What is the model to do\?[\s\S]*masked_lm/, keys: keys.enter };

  test("it asks for data, task and what it cannot tell", async () => {
    const project = await Project.create({ "a.csv": csv, "b.txt": corpus });
    const { code, screen } = await atTerminal(["init"], project.directory, [
      which,
      { ...task, keys: `${keys.down}${keys.enter}` },
      { to: /Which column is the class\?[\s\S]*queue/, keys: `${keys.down}${keys.down}${keys.enter}` },
    ]);
    expect(code).toBe(0);
    expect(screen).toMatch(/wrote +run.yaml: sequence_classification on a.csv/);
    expect(parse(await project.text("run.yaml"))).toMatchObject({
      data: { columns: { text: "body", label: "queue" } },
    });
  });

  test("with --yes it asks nothing", async () => {
    const project = await Project.create({ "b.txt": corpus });
    const { code, screen } = await atTerminal(["init", "--yes"], project.directory, []);
    expect(code).toBe(0);
    expect(screen).not.toContain("?");
  });

  test("Ctrl-C ends with 130 and writes nothing", async () => {
    const project = await Project.create({ "b.txt": corpus });
    const { code } = await atTerminal(["init"], project.directory, [
      which,
      { ...task, keys: keys.interrupt },
    ]);
    expect(code).toBe(130);
    expect(await project.files()).toEqual(["b.txt"]);
  });
});
