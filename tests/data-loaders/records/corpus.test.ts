import { readdirSync, readlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { directory, write } from "../temporary-corpus.ts";
import { examplesOf, open, request } from "../temporary-records.ts";

/** Files of the test's folder that this process holds open; where there is no /proc, none can be seen. */
function heldOpen(): string[] {
  const descriptors = process.platform === "linux" ? readdirSync("/proc/self/fd") : [];
  return descriptors.flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return []; // the one that listed them
    }
  });
}

test("who stops in the middle leaves no file open", async () => {
  await write("a.jsonl", `${JSON.stringify({ text: "some text" })}\n`.repeat(200_000));
  await write("b.csv", `text\n${"some text\n".repeat(200_000)}`);
  for (const [name, path] of [
    ["jsonl", "a.jsonl"],
    ["csv", "b.csv"],
  ] as const) {
    const loader = await open(name, { path, validation: 0, cache: "cache" });
    for await (const _ of loader.texts("train")) break;
    for await (const _ of loader.examples("train", request())) break;
    await new Promise((resolve) => setTimeout(resolve, 50)); // streams close after they are told to
    expect(heldOpen()).toEqual([]);
  }
});

test("a tokenizer that fails leaves no file open, and can be tried again", async () => {
  await write("a.jsonl", `${JSON.stringify({ text: "some text" })}\n`.repeat(200_000));
  const loader = await open("jsonl", { path: "a.jsonl", validation: 0, cache: "cache" });
  let fails = true;
  const tokenizer = {
    vocabSize: 2,
    encode: () => {
      if (fails) throw new Error("out of order");
      return [1];
    },
    decode: () => "",
    save: () => ({}),
    load: () => {},
  };
  await expect(examplesOf(loader, "train", { tokenizer })).rejects.toThrow("out of order");
  expect(heldOpen()).toEqual([]);
  expect(
    readdirSync(`${directory}/cache`).filter((name) => name !== ".gitignore" && name !== "digests.json"),
  ).toEqual([]);
  fails = false;
  expect(await examplesOf(loader, "train", { tokenizer, sequenceLength: 1000 })).toHaveLength(200);
});
