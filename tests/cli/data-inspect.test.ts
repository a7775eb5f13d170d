/** `codex-ml data inspect`: what a run would train on, before it does. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DataInspection } from "../../src/run/inspect-data.ts";
import { Project, removeProjects } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

let project: Project;
const jsonl = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

const films = [
  ...Array.from({ length: 8 }, (_, at) => ({ text: `a good film, ${at}`, label: "pos" })),
  ...Array.from({ length: 5 }, (_, at) => ({ text: `bad ${at}`, label: "neg" })),
  { text: "meh", label: "neg" },
  { text: "meh", label: "pos" },
  { text: "meh", label: "neg" },
];
const held = [films[1], { text: "quite new €", label: "pos" }, films[9], { text: "bad too", label: "neg" }];

/** Words between spaces; special tokens as encoders want them. */
const wordsModule = `
import { registerTokenizer } from "codex-ml";
registerTokenizer("words", () => {
  const words = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"];
  const specialTokens = Object.fromEntries(words.slice(0, 4).map((word, id) => [word, id]));
  return {
    specialTokens, padTokenId: 0, clsTokenId: 1, sepTokenId: 2, maskTokenId: 3,
    get vocabSize() { return words.length; },
    encode: (text) => text.split(" ").filter(Boolean).map((word) => Math.max(words.indexOf(word), 4)),
    decode: (ids) => [...ids].map((id) => words[id]).join(" "),
    async train(texts) {
      for await (const text of texts) for (const word of text.split(" ")) if (word && !words.includes(word)) words.push(word);
    },
    save: () => ({ "tokenizer.json": JSON.stringify({ model: { unk_token: "[UNK]", vocab: Object.fromEntries(words.map((word, id) => [word, id])) } }) }),
    load: () => {},
  };
});
registerTokenizer("endless", () => ({
  vocabSize: 2, encode: () => [], decode: () => "", save: () => ({}), load: () => {},
  async train() {
    console.error("learning");
    setInterval(() => {}, 1000);
    await new Promise(() => {});
  },
}));
`;

const bert = `model: { name: bert, numHiddenLayers: 1, numAttentionHeads: 2, hiddenSize: 16, intermediateSize: 32, maxPositionEmbeddings: 8 }`;

beforeAll(async () => {
  project = await Project.create({
    "package.json": JSON.stringify({ name: "looking", type: "module" }),
    "corpus.txt": corpus,
    "tale.yaml": tinyYaml,
    "words.ts": wordsModule,
    "films.jsonl": jsonl(films),
    "held.jsonl": jsonl(held),
    "both.jsonl": jsonl([
      { text: "good", label: ["pos"] },
      { text: "good and bad", label: ["neg", "pos"] },
    ]),
    "films.yaml": `
tokenizer: char
data: { name: jsonl, path: films.jsonl, validation: held.jsonl, columns: { label: label }, cache: false }
model: { name: embedding_bag }
trainer: { name: sequence_classification, maxSteps: 2, sequenceLength: 10 }
`,
    "pairs.jsonl": jsonl([
      { text: "one two three four five", textPair: "six seven", label: "yes" },
      { text: "one", textPair: "two", label: "no" },
      { text: "one two", textPair: "", label: "no" },
    ]),
    "pairs.yaml": `
imports: [./words.ts]
tokenizer: words
data: { name: jsonl, path: pairs.jsonl, validation: 0, columns: { label: label, textPair: textPair }, cache: false }
${bert}
trainer: { name: sequence_classification, maxSteps: 2 }
`,
    "masked.yaml": `
imports: [./words.ts]
tokenizer: words
data: { name: jsonl, path: pairs.jsonl, validation: 0, packing: false, cache: false }
${bert}
trainer: { name: masked_lm, maxSteps: 2, mlmProbability: 0.4 }
`,
    "notes.jsonl": jsonl(["one ☃", "two two", "three", "one ☃", "x"].map((text) => ({ text }))),
    "notes.yaml": `
tokenizer: byte
data: { name: jsonl, path: notes.jsonl, validation: 0, cache: false }
${tinyYaml.slice(tinyYaml.indexOf("model:"))}`,
  });
  await project.linkCodexMl();
});
afterAll(removeProjects);

async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.run(["data", "inspect", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function inspected(...args: string[]): Promise<DataInspection> {
  return JSON.parse(await printed(...args, "--json")) as DataInspection;
}

describe.concurrent("running text", () => {
  test("is looked at in the windows that training cuts from it", async () => {
    const { splits, examples, sequenceLength, task } = await inspected("tale.yaml");
    expect({ task, sequenceLength }).toEqual({ task: "causal_lm", sequenceLength: 16 });
    expect(splits.map(({ split }) => split)).toEqual(["train", "validation"]);
    const [train, validation] = splits;
    expect(train).toMatchObject({ complete: true, truncated: { examples: 0, tokens: 0 }, dropped: 0 });
    expect(train?.tokens).toBe(16 * (train?.examples ?? 0));
    expect(train?.labels).toBe(train?.tokens);
    // In order, every token but the first is a label.
    expect((validation?.labels ?? 0) + (train?.labels ?? 0)).toBeGreaterThan(corpus.length - 64);
    expect(examples).toHaveLength(3);
    for (const { pieces } of examples) expect(corpus).toContain(pieces.map(({ text }) => text).join(""));
  });

  test("is shown token by token, with line breaks as signs and what does not count set apart", async () => {
    const stdout = await printed("tale.yaml", "--examples", "1");
    expect(stdout).toMatch(
      /^train: \d+ examples\n {2}tokens {6}[\d,]+, and [\d,]+ labels that count\n {2}length {6}all 16$/m,
    );
    const line = /^ {2}1 {2}17 tokens\n {5}(.+)$/m.exec(stdout)?.[1] ?? "";
    expect(line).toMatch(/^⟨.⟩(\|.){16}$/);
    expect(corpus.replaceAll("\n", "↵")).toContain(line.replaceAll(/[⟨⟩|]/g, ""));
  });

  test("--set counts, and --split looks at one", async () => {
    const args = [
      "tale.yaml",
      "--split",
      "validation",
      "--set",
      "trainer.sequenceLength=8",
      "--examples",
      "0",
    ];
    const { splits, sequenceLength, examples } = await inspected(...args);
    expect(splits.map(({ split, overlap }) => [split, overlap])).toEqual([["validation", undefined]]);
    expect({ sequenceLength, examples }).toEqual({ sequenceLength: 8, examples: [] });
    expect(splits[0]?.lengths?.max).toBe(8);
  });

  test("nothing is written", async () => {
    const before = await project.files();
    await printed("tale.yaml");
    expect(await project.files()).toEqual(before);
  });
});

describe.concurrent("a classifier's records", () => {
  test("are counted by class, and what is cut is told with what it loses", async () => {
    const { splits } = await inspected("films.yaml");
    expect(splits[0]).toMatchObject({
      examples: 16,
      classes: [
        { name: "neg", examples: 7 },
        { name: "pos", examples: 9 },
      ],
      // "a good film, 3" has 14 characters, and 10 fit.
      truncated: { examples: 8, tokens: 8 * 4 },
      lengths: { min: 3, max: 14 },
      dropped: 0,
      unknown: 0,
    });
    expect(splits[0]?.tokens).toBe(8 * 10 + 5 * 5 + 3 * 3);
  });

  test("that are there twice are found, with labels that contradict each other", async () => {
    const { splits } = await inspected("films.yaml");
    expect(splits[0]?.duplicates).toEqual({
      what: "examples",
      complete: true,
      of: 16,
      repeats: 2,
      conflicting: 1,
      mostFrequent: { text: "meh", times: 3 },
    });
  });

  test("of the validation split that are in train, too, are found, and unknown characters counted", async () => {
    const { splits } = await inspected("films.yaml");
    expect(splits[1]?.overlap).toEqual({ of: 4, against: 16, found: 2, example: "a good film, 1" });
    // In "quite new €", cut to "quite new ": q, u, t, n and w are in no text of train.
    expect(splits[1]?.unknown).toBe(
      [..."quite new bad too"].filter((one) => !"a good film, bad meh".includes(one)).length,
    );
  });

  test("are reported for people", async () => {
    const stdout = await printed("films.yaml", "--examples", "16");
    expect(stdout).toContain("8 (50.0%), which lose 32 (21.9%) of all tokens");
    expect(stdout).toContain(
      '2 (12.5%) repeat an earlier one; 1 text with labels that contradict each other; most often, 3 times: "meh"',
    );
    expect(stdout).toContain('overlap     2 (50.0%) of the examples are in train, too: "a good film, 1"');
    expect(stdout).toMatch(/classes +neg {2}7 \(43\.8%\)\n +pos {2}9 \(56\.3%\)/);
    expect(stdout).toMatch(/ {2}class pos, 10 tokens, cut\n {5}a\| \|g\|o\|o\|d\| \|f\|i\|l$/m);
    expect(stdout).toMatch(/ {2}class neg, \d tokens, \d of padding\n/);
    expect(stdout).toMatch(/13–14 +█+ 8$/m);
  });

  test("are looked at up to a limit, and that is said", async () => {
    const { splits } = await inspected("films.yaml", "--limit", "5");
    expect(splits.map(({ examples, complete }) => [examples, complete])).toEqual([
      [5, false],
      [4, true],
    ]);
    const stdout = await printed("films.yaml", "--limit", "5");
    expect(stdout).toContain("train: 5 examples looked at, and there are more (--limit 5)");
    expect(stdout).toMatch(/in the first 5 of train, too/);
  });

  test("of which one cannot be used are refused as in training, and that one is named", async () => {
    const args = [
      "data",
      "inspect",
      "films.yaml",
      "--set",
      "data.path=both.jsonl",
      "--set",
      "data.validation=0",
    ];
    const { code, stdout, stderr } = await project.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /Example \d+ of the train split cannot be used\. An example has 2 labels \(neg, pos\)/,
    );
    expect(stderr).toContain('Its text begins "good and bad".');
  });
});

describe.concurrent("pairs", () => {
  test("are read with special tokens, the longer text cut first", async () => {
    const { splits, examples } = await inspected("pairs.yaml");
    expect(splits[0]).toMatchObject({
      truncated: { examples: 1, tokens: 2 },
      lengths: { min: 5, max: 10 },
      unknown: 0,
    });
    const cut = examples.find(({ truncated }) => truncated);
    expect(cut?.pieces.map(({ text }) => text)).toEqual([
      "[CLS]",
      "one",
      "two",
      "three",
      "[SEP]",
      "six",
      "seven",
      "[SEP]",
    ]);
    expect(cut?.pieces.map(({ begins }) => begins).indexOf("pair")).toBe(5);
    expect(cut).toMatchObject({ padding: 0, labels: ["yes"] });
  });

  test("are told apart in what is shown", async () => {
    const stdout = await printed("pairs.yaml");
    expect(stdout).toContain("[CLS]|one|two|three|[SEP]|‖six|seven|[SEP]");
    expect(stdout).toContain("‖ the next document, or the second text");
  });
});

describe.concurrent("masked language modelling", () => {
  test("shows what is hidden and what is to be guessed there", async () => {
    const { examples, splits } = await inspected("masked.yaml");
    const pieces = examples.flatMap((example) => example.pieces);
    const guessed = pieces.filter(({ counts }) => counts);
    expect(guessed).toHaveLength(splits[0]?.labels ?? -1);
    expect(guessed.length).toBeGreaterThanOrEqual(3);
    for (const { label } of guessed) expect("one two three four five").toContain(label);
    expect(guessed.some(({ text }) => text === "[MASK]")).toBe(true);
    for (const { counts, text, label } of pieces)
      if (!counts) expect({ label, isMask: text === "[MASK]" }).toEqual({ label: undefined, isMask: false });
    const stdout = await printed("masked.yaml");
    // Runs of tokens that do not count stand in one pair of brackets.
    expect(stdout).toMatch(/⟨\w+\|\w+/);
    expect(stdout).not.toContain("⟩|⟨");
    expect(stdout).toMatch(/\[MASK\]→(one|two|three|four|five)/);
  });
});

test("words that are hidden from a masked language model are still counted as unknown", async () => {
  await project.write("strange.jsonl", jsonl([{ text: "q w e r t y" }]));
  const { splits } = await inspected("masked.yaml", "--set", "data.validation=strange.jsonl");
  expect(splits[1]).toMatchObject({ split: "validation", tokens: 2 + 6, unknown: 6 });
});

describe.concurrent("documents", () => {
  test("packed into one row are kept apart, and compared as texts", async () => {
    const { splits, examples } = await inspected("notes.yaml");
    const [train] = splits;
    expect(train?.duplicates).toMatchObject({
      what: "texts",
      of: 5,
      repeats: 1,
      mostFrequent: { text: "one ☃", times: 2 },
    });
    const pieces = examples.flatMap((example) => example.pieces);
    const begun = pieces.filter(({ begins }) => begins === "document");
    expect(begun.length).toBeGreaterThan(0);
    for (const { counts } of begun) expect(counts).toBe(false);
    expect(await printed("notes.yaml")).toContain("<|endoftext|>|‖⟨");
  });

  test("without a label that counts are told to be left out", async () => {
    const args = [
      "notes.yaml",
      "--set",
      "data.packing=false",
      "--set",
      "tokenizer=words",
      "--import",
      "./words.ts",
      "--examples",
      "9",
    ];
    const { splits, examples } = await inspected(...args);
    expect(splits[0]).toMatchObject({ examples: 5, dropped: 2 });
    expect(examples.filter(({ dropped }) => dropped)).toHaveLength(2);
    const stdout = await printed(...args);
    expect(stdout).toContain("dropped     2 (40.0%): no label counts");
    expect(stdout).toContain("left out: no label counts");
  });
});

describe.concurrent("asked wrongly", () => {
  test.each([
    [["nowhere.yaml"], /nowhere\.yaml/],
    [["tale.yaml", "--split", "test"], /no test split; it has train, validation/],
    [["tale.yaml", "--set", "model.layers=3"], /layers/],
    [["tale.yaml", "--limit", "0"], /--limit/],
  ])("%j ends with 2", async (args, message) => {
    const { code, stdout, stderr } = await project.run(["data", "inspect", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

test("colours set tokens apart where they are asked for", async () => {
  const { code, stdout } = await project.run(["data", "inspect", "pairs.yaml"], {
    env: { NO_COLOR: "", FORCE_COLOR: "1" },
  });
  expect(code).toBe(0);
  expect(stdout).toContain("\u001b[4mone\u001b[24m\u001b[36mtwo\u001b[39m");
  expect(stdout).not.toContain("|");
});

test("Ctrl-C ends it quietly with 130", async () => {
  const running = project.start([
    "data",
    "inspect",
    "tale.yaml",
    "--import",
    "./words.ts",
    "--set",
    "tokenizer=endless",
  ]);
  await running.says(/learning/);
  running.child.kill("SIGINT");
  expect(await running.ended).toEqual({ code: 130, stdout: "", stderr: "learning\n" });
});

test("other commands do not load it", async () => {
  const loaded = async (...args: string[]) => {
    const folder = `coverage-${args[0]}`;
    await project.run(args, { env: { NODE_V8_COVERAGE: project.path(folder) } });
    const reports = (await project.files(folder)).map((name) => project.text(folder, name));
    return (await Promise.all(reports)).join().includes("inspect-data");
  };
  expect(await loaded("data", "inspect", "tale.yaml")).toBe(true);
  expect(await loaded("train", "tale.yaml", "--out", "trained", "--set", "trainer.maxSteps=1")).toBe(false);
});
