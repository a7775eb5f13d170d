/** `codex-ml tokenizer`: one trained by itself, looked at, and used in a run. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, type Result, removeProjects } from "./project.ts";
import { corpus, sentences, tinyYaml } from "./tiny.ts";

let project: Project;
beforeAll(async () => {
  project = await Project.create({
    "corpus.txt": corpus,
    "other.txt": `${sentences(20, 150)} ☃`,
    "blank.txt": " \n",
    "tale.yaml": tinyYaml,
  });
  await Promise.all([
    printed("tokenizer", "train", "bpe", "--data", "corpus.txt", "--out", "bpe", "--set", "vocabSize=300"),
    printed("tokenizer", "train", "wordpiece", "--data", "corpus.txt", "--out", "pieces"),
  ]);
});
afterAll(removeProjects);

/** Runs what must go well; gives stdout. */
async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** Runs what was asked wrongly; gives what it wrote on stderr. */
async function refused(...args: string[]): Promise<string> {
  const result: Result = await project.run(args);
  expect({ code: result.code, stdout: result.stdout }, result.stderr).toEqual({ code: 2, stdout: "" });
  expect(result.stderr).not.toMatch(/^ {4}at /m);
  return result.stderr;
}

describe.concurrent("tokenizer", () => {
  test("train says what it did, and Hugging Face's library opens the folder", async () => {
    const line = await printed(
      ...["tokenizer", "train", "unigram", "--data", "corpus.txt", "other.txt", "--out", "grams", "--json"],
      ...["--set", "vocabSize=200", "--set", "specialTokens=[<pad>, <s>]"],
    );
    const trained = JSON.parse(line);
    expect(trained).toMatchObject({
      type: "tokenizer",
      name: "unigram",
      files: ["tokenizer.json", "tokenizer_config.json"],
    });
    expect(trained.bytes).toBe(Buffer.byteLength(corpus) + Buffer.byteLength(`${sentences(20, 150)} ☃`));
    const rust = RustTokenizer.fromFile(`${trained.directory}/tokenizer.json`);
    expect(rust.getVocabSize()).toBe(trained.vocabSize);
    expect(rust.tokenToId("<s>")).toBe(2);
    const { ids } = JSON.parse(
      await printed("tokenizer", "encode", "grams", "--file", "other.txt", "--json"),
    );
    const text = await readFile(`${trained.directory}/../other.txt`, "utf8");
    expect(ids).toEqual((await rust.encode(text)).getIds());
  });

  test("encode and decode are inverse, from arguments and through pipes", async () => {
    const ids = (await printed("tokenizer", "encode", "bpe", "the cat\n東京")).trim();
    expect(ids).toMatch(/^\d+( \d+)*$/);
    expect(await printed("tokenizer", "decode", "bpe", ...ids.split(" "))).toBe("the cat\n東京\n");
    await project.write("ids.txt", ids.replaceAll(" ", ",\n"));
    const { text } = JSON.parse(await printed("tokenizer", "decode", "bpe", "--file", "ids.txt", "--json"));
    expect(text).toBe("the cat\n東京");
  });

  test("encode --show shows the pieces: by colours, or by bars where there are none", async () => {
    const plain = await printed("tokenizer", "encode", "bpe", "--show", "東\tq\nq");
    // The bytes of a character are shown together.
    expect(plain).toMatch(/^東\|→\|q\|↵\n\|q\n\d+ tokens\n$/);
    const args = ["tokenizer", "encode", "pieces", "--show", "zz"];
    const { stdout } = await project.run(args, { env: { FORCE_COLOR: "1", NO_COLOR: "" } });
    expect(stdout).toContain("\u001b[44m");
    expect(stdout).not.toContain("|");
  });

  test("encode --max-length cuts, and says what it cut", async () => {
    const whole = (await printed("tokenizer", "encode", "bpe", "the cat sat")).trim().split(" ");
    const cut = async (...flags: string[]) =>
      project.run(["tokenizer", "encode", "bpe", "the cat sat", "--max-length", ...flags]);
    const kept = whole.slice(0, 2).join(" ");
    expect(await cut("2")).toMatchObject({ code: 0, stdout: `${kept}\n` });
    const lost = await printed("tokenizer", "decode", "bpe", ...whole.slice(2));
    expect((await cut("2")).stderr).toBe(
      `cut ${whole.length - 2} of ${whole.length} tokens: ${JSON.stringify(lost.slice(0, -1))}\n`,
    );
    expect((await cut("1", "--truncation-side", "left")).stdout).toBe(`${whole.at(-1)}\n`);
    expect((await cut("99")).stderr).toBe(`nothing cut: ${whole.length} tokens fit\n`);
    const { ids, truncated } = JSON.parse((await cut("2", "--json")).stdout);
    expect(ids.join(" ")).toBe(kept);
    expect(truncated).toEqual({ tokens: whole.length - 2, text: lost.slice(0, -1) });
  });

  test("--show keeps the bytes of a character together whatever the tokenizer loses", async () => {
    const train = ["tokenizer", "train", "--data", "corpus.txt", "--set", "vocabSize=400", "--out"];
    await printed(...train, "small", "bpe", "--set", "lowercase=true");
    await printed(...train, "grams-bytes", "unigram", "--set", "byteFallback=true");
    await printed(...train, "chars", "char");
    const shown = async (folder: string) =>
      (await printed("tokenizer", "encode", folder, "--show", "Q東")).split("\n")[0];
    expect(await shown("small")).toBe("q|東");
    expect(await shown("grams-bytes")).toBe("Q|東");
    expect(await shown("chars")).toBe("\uFFFD|\uFFFD");
  });

  test("stats counts tokens a word, bytes a token, the vocabulary's use and the unknown", async () => {
    await project.write("small.txt", "zqzq the\n the");
    const stats = JSON.parse(await printed("tokenizer", "stats", "pieces", "--file", "small.txt", "--json"));
    const { ids } = JSON.parse(
      await printed("tokenizer", "encode", "pieces", "--file", "small.txt", "--json"),
    );
    expect(stats).toMatchObject({ tokens: ids.length, bytes: 13, words: 3, usedIds: new Set(ids).size });
    expect(stats.fertility).toBeCloseTo(ids.length / 3, 10);
    expect(stats.bytesPerToken).toBeCloseTo(13 / ids.length, 10);
    expect(stats.unknownRate).toBeCloseTo(ids.filter((id: number) => id === 1).length / ids.length, 10);
    expect(stats.unknownRate).toBeGreaterThan(0);
    const table = await printed("tokenizer", "stats", "bpe", "--file", "other.txt");
    expect(table).toMatch(/fertility +\d\.\d{3} {2}tokens a word\n/);
    expect(table).toMatch(/unknown +0\.00 %/);
  });

  test("a run uses the folder, and keeps a copy of its own", async () => {
    const set = ["--set", "tokenizer={ name: hf, path: moved }"];
    await project.copy("bpe", "moved");
    expect((await project.train("tale.yaml", "--out", "run", ...set)).code).toBe(0);
    await rm(join(project.directory, "moved"), { recursive: true });
    const expected = await printed("tokenizer", "encode", "bpe", "the cat");
    expect(await printed("tokenizer", "encode", "run", "the cat")).toBe(expected);
    expect(await printed("generate", "run", "--prompt", "the", "--max-new-tokens", "2")).toMatch(/^the/);
    // Everything else that opens the run does without the original too.
    expect(await printed("evaluate", "run", "--json")).toMatch(/"bits_per_byte":/);
    const from = ["--set", "tokenizer={ name: hf, from: run }", "--out", "next"];
    expect((await project.train("tale.yaml", ...from)).code).toBe(0);
    expect(await printed("tokenizer", "encode", "next", "the cat")).toBe(expected);
  });

  test("says what was asked wrongly", async () => {
    expect(await refused("tokenizer", "encode", "nowhere", "a")).toMatch(/no tokenizer at nowhere/);
    expect(await refused("tokenizer", "train", "byte", "--data", "corpus.txt", "--out", "x")).toMatch(
      /learns nothing/,
    );
    const bpe = ["tokenizer", "train", "bpe", "--data", "corpus.txt", "--out"];
    expect(await refused(...bpe, "bpe")).toMatch(/bpe is not empty/);
    expect(await refused(...bpe, "x", "--set", "vocabsize=300")).toMatch(/did you mean "vocabSize"/);
    expect(await refused(...bpe, "x", "--set", "vocabSize")).toMatch(/expected path=value/);
    expect(await refused("tokenizer", "train", "bpe", "--data", "no.txt", "--out", "x")).toMatch(
      /no file or folder/,
    );
    expect(await refused("tokenizer", "decode", "bpe", "300")).toMatch(/whole numbers from 0 to/);
    expect(await refused("tokenizer", "encode", "bpe", "a", "--file", "other.txt")).toMatch(/not both/);
    expect(await refused("tokenizer", "encode", "bpe", "a", "--max-length", "0")).toMatch(/positive whole/);
    expect(await refused("tokenizer", "encode", "bpe", "a", "--truncation-side", "left")).toMatch(
      /give both/,
    );
    expect(await refused("tokenizer", "stats", "bpe", "--file", "blank.txt")).toMatch(
      /no text in blank\.txt/,
    );
  });
});
