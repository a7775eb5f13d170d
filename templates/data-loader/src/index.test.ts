import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type DataLoader, getDataLoader, registerDataLoader, type Split } from "codex-ml/registry";
import { dataLoaderConformance } from "codex-ml/testing";
import { build } from "./index.js";

const directory = await mkdtemp(join(tmpdir(), "lines-"));
after(() => rm(directory, { recursive: true }));

describe("does what every data loader must", () => {
  const module = new URL("./index.js#build", import.meta.url);
  const options = { path: fileURLToPath(new URL("../sample.txt", import.meta.url)) };
  const otherOptions = { path: fileURLToPath(import.meta.url) };
  const invalidOptions = [{ path: "" }, { path: 7 }, { path: "no-such-file.txt" }];
  for (const check of dataLoaderConformance(build, { module, options, otherOptions, invalidOptions }))
    test(check.name, check.run);
});

/** Built as a run builds it: with validated options, and paths relative to a folder. */
registerDataLoader("under_test", build);

async function loaderOf(text: string): Promise<DataLoader> {
  const path = join(directory, "lines.txt");
  await writeFile(path, text);
  return getDataLoader("under_test", { path });
}

async function textOf(loader: DataLoader, split: Split): Promise<string> {
  let text = "";
  for await (const piece of loader.texts(split)) text += piece;
  return text;
}

const letters = [..."abcdefghijklmnopqrst"];

test("every tenth line is held out", async () => {
  const loader = await loaderOf(letters.join("\n"));
  assert.equal(await textOf(loader, "validation"), "j\nt\n");
  assert.equal(await textOf(loader, "train"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nk\nl\nm\nn\no\np\nq\nr\ns\n");
});

test("empty lines and repeated lines do not count", async () => {
  const loader = await loaderOf(`${letters.join("\r\n\r\n")}\r\n${letters.join("\n")}`);
  assert.equal(await textOf(loader, "validation"), "j\nt\n");
});

test("a file with too few lines is refused", async () => {
  const loader = await loaderOf("a\nb\nc\n");
  await assert.rejects(textOf(loader, "train"), /lines\.txt has 3 different lines.*at least 10/);
});
