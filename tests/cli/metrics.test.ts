/** `codex-ml metrics`: files scored from the command line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, removeProjects, repository } from "./project.ts";

interface Golden {
  readonly corpora: Readonly<Record<string, readonly { prediction: string; references: string[] }[]>>;
  readonly values: readonly {
    metric: string;
    options: Readonly<Record<string, unknown>>;
    values: Readonly<Record<string, number>>;
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL("../golden/metrics-text.json", import.meta.url), "utf8"),
) as Golden;

let project: Project;
const jsonl = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

beforeAll(async () => {
  const multi = golden.corpora.multi ?? [];
  project = await Project.create({
    "package.json": JSON.stringify({
      name: "scores",
      type: "module",
      dependencies: { "codex-ml-toy-metric": "0.1.0" },
    }),
    "multi-predictions.jsonl": jsonl(multi.map(({ prediction }) => prediction)),
    "multi-references.jsonl": jsonl(multi.map(({ references }) => ({ references }))),
    "out.txt": "the cat sat\r\non a mat\n",
    "ref.txt": "the cat sat\non the mat",
    "labels.jsonl": jsonl([{ label: "ham" }, { label: "spam" }, { label: "spam" }, { label: "ham" }]),
    "classified.jsonl": jsonl([
      { label: "ham", probabilities: { spam: 0.2, ham: 0.8 } },
      { label: "spam", probabilities: { spam: 0.9, ham: 0.1 } },
      { label: "ham", probabilities: { spam: 0.4, ham: 0.6 } },
      { label: "spam", probabilities: { spam: 0.6, ham: 0.4 } },
    ]),
    "scores.txt": "0.1\n0.4\n0.35\n0.8\n",
    "truth.txt": "0\n0\n1\n1\n",
    "tags.jsonl": jsonl([{ labels: ["a", "b"] }, { labels: [] }, { labels: ["b"] }]),
    "tagged.jsonl": jsonl([["a"], [], ["b"]]),
    "ids.jsonl": jsonl([[1, 2, 3, 4], [5]]),
    "predicted-ids.jsonl": jsonl([[1, 2, 3, 0], [5]]),
    "attempts.jsonl": jsonl([
      { task_id: "HumanEval/0", completion: "    return 1", passed: true },
      { task_id: "HumanEval/0", completion: "    return 2", passed: false },
      { task_id: "HumanEval/1", completion: "    pass", passed: false },
      { task_id: "HumanEval/1", completion: "    pass", passed: false },
    ]),
    "squad.jsonl": jsonl([{ id: "1", prediction_text: "Denver Broncos" }]),
    "answers.jsonl": jsonl([
      { id: "1", answers: { text: ["The Broncos", "Denver Broncos!"], answer_start: [1, 2] } },
    ]),
  });
  await project.linkCodexMl();
  // A copy: a link would find the codex-ml of the place it leads to.
  await project.copy(
    join(repository, "examples/plugins/codex-ml-toy-metric"),
    "node_modules/codex-ml-toy-metric",
  );
});
afterAll(removeProjects);

async function scored(...args: string[]) {
  const { code, stdout, stderr } = await project.run(["metrics", ...args, "--json"]);
  if (code !== 0) throw new Error(`metrics ${args.join(" ")} gave ${code}\n${stderr}`);
  return JSON.parse(stdout) as {
    metrics: Record<string, unknown>;
    examples: number;
    warnings: readonly string[];
  };
}

const files = (predictions: string, references: string) => [
  "--predictions",
  predictions,
  "--references",
  references,
];

describe.concurrent("values", () => {
  test("are those of the libraries, with several references and options", async () => {
    const { metrics, examples } = await scored(
      ...["bleu", "chrf", "ter", "--set", "chrf.wordOrder=2", "--set", "bleu.smoothMethod=floor"],
      ...files("multi-predictions.jsonl", "multi-references.jsonl"),
    );
    const expected = (metric: string, options: object) =>
      golden.values.find(
        (one) => one.metric === metric && JSON.stringify(one.options) === JSON.stringify(options),
      )?.values.multi;
    expect(examples).toBe(golden.corpora.multi?.length);
    expect(metrics.bleu).toBeCloseTo(expected("bleu", { smoothMethod: "floor" }) ?? 0, 9);
    expect(metrics.chrf).toBeCloseTo(expected("chrf", { wordOrder: 2 }) ?? 0, 9);
    expect(metrics.ter).toBeCloseTo(expected("ter", {}) ?? 0, 9);
  });

  test("of plain text are printed as a table", async () => {
    expect(await project.run(["metrics", "wer", "exact_match", ...files("out.txt", "ref.txt")])).toEqual({
      code: 0,
      stderr: "",
      stdout: "out.txt against ref.txt: 2 examples\n\n  wer             0.1667\n  exact_match     0.5000\n",
    });
  });

  test("of labels and of probabilities come from the same file", async () => {
    const { metrics } = await scored(
      ...["accuracy", "f1", "confusion_matrix", "roc_auc", "--set", "f1.average=binary"],
      ...files("classified.jsonl", "labels.jsonl"),
    );
    expect(metrics).toEqual({
      accuracy: 0.5,
      f1: 0.5,
      confusion_matrix: { ham: { ham: 1, spam: 1 }, spam: { ham: 1, spam: 1 } },
      roc_auc: 0.75,
    });
  });

  test("of one probability a line are of the second class", async () => {
    const { metrics } = await scored("roc_auc", "average_precision", ...files("scores.txt", "truth.txt"));
    expect(metrics.roc_auc).toBe(0.75);
    expect(metrics.average_precision).toBeCloseTo(0.8333333333333333, 12);
  });

  test("of several labels at once", async () => {
    const { metrics } = await scored(
      ...["accuracy", "f1", "--set", "f1.average=none"],
      ...files("tagged.jsonl", "tags.jsonl"),
    );
    expect(metrics.accuracy).toBeCloseTo(2 / 3, 12);
    expect(metrics.f1).toEqual({ a: 1, b: 2 / 3 });
  });

  test("of token ids, by a built-in and by a package's metric", async () => {
    const { metrics } = await scored(
      "token_accuracy",
      "toy_metric",
      ...files("predicted-ids.jsonl", "ids.jsonl"),
    );
    expect(metrics).toEqual({ token_accuracy: 0.8, toy_metric: 0.875 });
  });

  test("of attempts need no references", async () => {
    const { metrics, warnings } = await scored("pass@k", "--predictions", "attempts.jsonl");
    expect(metrics).toEqual({ "pass@k": { "pass@1": 0.25, "pass@10": "NaN", "pass@100": "NaN" } });
    expect(warnings).toContain('pass@k: pass@10 is undefined: the task "HumanEval/0" was attempted 2 times');
  });

  test("of SQuAD's files, and of fields by name", async () => {
    const squad = await scored("squad_f1", ...files("squad.jsonl", "answers.jsonl"));
    expect(squad.metrics).toEqual({ squad_f1: 100 });
    const named = ["--prediction-field", "id", "--reference-field", "id"];
    expect((await scored("exact_match", ...files("squad.jsonl", "answers.jsonl"), ...named)).metrics).toEqual(
      {
        exact_match: 1,
      },
    );
  });

  test("that are undefined say why on stderr", async () => {
    await project.write("one.txt", "a\na\n");
    const { code, stdout, stderr } = await project.run(["metrics", "mcc", ...files("one.txt", "one.txt")]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "note  mcc: it is undefined: all labels, or all predictions, are of one class\n",
    });
    expect(stdout).toMatch(/^ {2}mcc +NaN$/m);
  });
});

describe.concurrent("asked wrongly", () => {
  test.each([
    [["bleu", "--predictions", "out.txt"], /bleu compares predictions with references: give --references/],
    [["blue", ...files("out.txt", "ref.txt")], /There is no metric "blue".*\n?.*bleu/],
    [["bleu", ...files("out.txt", "absent.txt")], /Cannot read absent\.txt: there is no such file/],
    [["bleu", ...files("out.txt", ".")], /Cannot read \.: it is a folder/],
    [["perplexity", ...files("out.txt", "ref.txt")], /perplexity reads `tokenLosses`.*codex-ml evaluate/],
    [["bleu", "bleu", ...files("out.txt", "ref.txt")], /bleu is named twice/],
    [["pass_at_k", ...files("attempts.jsonl", "ref.txt")], /leave --references out/],
    [
      ["bleu", ...files("out.txt", "ref.txt"), "--set", "chrf.beta=1"],
      /--set chrf\.beta=1: .*bleu\.option=value/,
    ],
    [
      ["bleu", ...files("out.txt", "ref.txt"), "--set", "bleu.smooth=exp"],
      /smooth.*smoothMethod|smoothMethod/,
    ],
    [["bleu", ...files("out.txt", "ref.txt"), "--set", "bleu.lowercase=maybe"], /lowercase/],
    [["bleu"], /--predictions/],
  ])("%j exits with 2", async (args, says) => {
    const { code, stdout, stderr } = await project.run(["metrics", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(says);
  });
});

describe("files that do not fit exit with 1 and name the line", () => {
  test.each<[string, readonly string[], string | Uint8Array, string, RegExp]>([
    ["no JSON", ["bleu"], '"a"\n{"text: 1}\n', "bad.jsonl", /bad\.jsonl:2: .*JSON/],
    ["an empty line", ["bleu"], '"a"\n\n"b"\n', "bad.jsonl", /bad\.jsonl:2: the line is empty/],
    ["one array over lines", ["bleu"], '[\n"a"\n]\n', "bad.jsonl", /bad\.jsonl:1: .*jq -c/],
    [
      "an unknown field",
      ["bleu"],
      '{"texts":"a"}\n"b"\n',
      "bad.jsonl",
      /bad\.jsonl:1: expected one of the fields prediction, .*has texts/,
    ],
    ["no text", ["bleu"], '"a"\n["b"]\n', "bad.jsonl", /bad\.jsonl:2: expected a text, got \["b"\]/],
    ["too few lines", ["bleu"], "a\n", "bad.txt", /bad\.txt has 1 lines, and ref\.txt has 2/],
    ["too many lines", ["bleu"], "a\nb\nc\nd", "bad.txt", /bad\.txt has 4 lines, and ref\.txt has 2/],
    ["nothing", ["bleu"], "", "bad.txt", /bad\.txt is empty/],
    [
      "no UTF-8",
      ["bleu"],
      Buffer.from([0x61, 0x0a, 0xff, 0x0a]),
      "bad.txt",
      /bad\.txt is not UTF-8: the byte 0xFF at offset 2/,
    ],
    ["an impossible probability", ["roc_auc"], "0.5\n1.5\n", "bad.txt", /bad\.txt:2: expected probabilities/],
    ["labels of lists and not", ["f1"], '["x"]\n"y"\n', "bad.jsonl", /expected a list of labels/],
    [
      "no probabilities",
      ["top_k_accuracy"],
      '{"label":"x"}\n{"label":"y"}\n',
      "bad.jsonl",
      /bad\.jsonl:1: top_k_accuracy: .*topIds/,
    ],
  ])("%s", async (_, metrics, content, name, says) => {
    await project.write(name, content);
    const { code, stdout, stderr } = await project.run(["metrics", ...metrics, ...files(name, "ref.txt")]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n +at /);
  });

  test("a label that is none of --classes", async () => {
    const args = [...files("classified.jsonl", "labels.jsonl"), "--classes", "eggs, spam"];
    const { code, stderr } = await project.run(["metrics", "f1", ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/labels\.jsonl:1: "ham" is none of the classes eggs, spam/);
  });

  test("lists of probabilities of named classes without --classes", async () => {
    await project.write(
      "lists.jsonl",
      jsonl([
        [0.9, 0.1],
        [0.2, 0.8],
        [0.3, 0.7],
        [0.6, 0.4],
      ]),
    );
    const args = ["metrics", "roc_auc", ...files("lists.jsonl", "labels.jsonl")];
    const { code, stderr } = await project.run(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Which of ham, spam do the probabilities belong to\? .*--classes/);
    expect((await scored(...args.slice(1), "--classes", "ham,spam")).metrics).toEqual({ roc_auc: 1 });
  });
});

test("files that memory could not hold are read as streams", async () => {
  const line = `${"word ".repeat(40)}\n`;
  await project.write("large.txt", line.repeat(150_000)); // 30 MB, twice
  const { code, stdout } = await project.run(["metrics", "exact_match", ...files("large.txt", "large.txt")], {
    node: ["--max-old-space-size=48"],
  });
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("1.0000") });
});
