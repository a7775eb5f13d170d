/** `codex-ml evaluate` of a classifier: other records, and what metrics say of their values. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EvaluationEvent } from "../../src/trainers/index.ts";
import { Project, parseEvents, removeProjects } from "./project.ts";

const record = (text: string, label: string, fold: string) => `${JSON.stringify({ text, label, fold })}\n`;
const records = (count: number, fold: string) =>
  Array.from({ length: count }, (_, at) =>
    at % 2 === 0 ? record(`good ${at}`, "yes", fold) : record(`bad ${at}`, "no", fold),
  ).join("");

const yaml = `
tokenizer: byte
data:
  name: jsonl
  path: records.jsonl
  columns: { label: label }
  split: { column: fold, validation: dev }
  cache: false
model: { name: embedding_bag, hiddenSize: 8 }
trainer: { name: sequence_classification, maxSteps: 4, batchSize: 4, sequenceLength: 16, evalSteps: 4 }
metrics: [accuracy, roc_auc]
`;

let project: Project;
beforeAll(async () => {
  project = await Project.create({
    "run.yaml": yaml,
    "records.jsonl": `${records(20, "train")}${records(6, "dev")}`,
    // Folds of its own, and one class.
    "other.jsonl": `${record("good", "yes", "x")}${record("good too", "yes", "y")}\n${record("", "yes", "z")}`,
  });
  await project.train("run.yaml", "--out", "run");
});
afterAll(removeProjects);

test("--data takes all records of a file, although the run's own are dealt by a column", async () => {
  const { code, stdout } = await project.run(["evaluate", "run", "--data", "other.jsonl", "--json"]);
  expect(code).toBe(0);
  const [event] = parseEvents(stdout) as unknown as EvaluationEvent[];
  expect(event).toMatchObject({ type: "evaluation", split: "data", data: "other.jsonl", tokens: 2 });
  // Of one class alone there is no curve; and one record had no text.
  expect(event?.warnings).toEqual([
    expect.stringMatching(/^roc_auc: .*class/),
    "1 record(s) without text were left out",
  ]);
});

test("--data reads a file of records for a run whose own data stands in its run file, with the same columns", async () => {
  const memory = yaml
    .replace(/ {2}name: jsonl\n {2}path: .*\n/, "  name: memory\n  examples: EXAMPLES\n")
    .replace(/ {2}split: .*\n {2}cache: .*\n/, "  validation: 0.2\n")
    .replace("{ label: label }", "{ text: says, label: class }");
  const examples = Array.from({ length: 20 }, (_, at) => ({
    says: `good ${at}`,
    class: at % 2 === 0 ? "yes" : "no",
  }));
  await project.write("memory.yaml", memory.replace("EXAMPLES", JSON.stringify(examples)));
  await project.write("other.csv", "says,class\ngood,yes\nbad,no\nneither,yes\n");
  await project.write("other.txt", "good");
  await project.train("memory.yaml", "--out", "from-memory");
  const { code, stdout, stderr } = await project.run([
    "evaluate",
    "from-memory",
    "--data",
    "other.csv",
    "--json",
  ]);
  expect(code, stderr).toBe(0);
  expect(parseEvents(stdout)).toMatchObject([{ type: "evaluation", split: "data", tokens: 3 }]);
  const refused = await project.run(["evaluate", "from-memory", "--data", "other.txt"]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /"memory", reads no files, and how other\.txt is to be read .*\.jsonl.*\.csv/,
  );
});

test("what metrics say of their values stands below the table, on stderr", async () => {
  const { stdout, stderr } = await project.run(["evaluate", "run", "--data", "other.jsonl"]);
  expect(stdout).toMatch(/roc_auc\s+NaN/);
  expect(stderr).toMatch(/^note {2}roc_auc: .*\nnote {2}1 record\(s\) without text were left out\n$/);
  expect((await project.run(["evaluate", "run"])).stderr).toBe("");
});
