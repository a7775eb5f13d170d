/** A loader of which only the first examples are read: the same ones in every epoch, whatever the loader. */

import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import type { DataLoader, Split } from "../../src/data-loaders/index.ts";
import { limited, repeated } from "../../src/data-loaders/restricted.ts";
import { load, write } from "./temporary-corpus.ts";
import { examplesOf, open, spell, textsOf } from "./temporary-records.ts";

const words = Array.from({ length: 40 }, (_, at) => `word ${at} of a text that is long enough`);
const records = words.map((text, at) => ({ text, label: at < 20 ? "low" : "high" }));
const columns = { text: "text", label: "label" };
const asJson = records.map((record) => `${JSON.stringify(record)}\n`).join("");

/** Every built-in loader with a training split of more than 5 examples, and with a validation split. */
const loaders: Readonly<Record<string, () => Promise<DataLoader>>> = {
  text: async () => {
    await write("a.txt", words.join("\n"));
    return load({ path: "a.txt", validation: 0.3 });
  },
  lines: async () => {
    await write("a.txt", words.join("\n"));
    return open("lines", { path: "a.txt", validation: 0.3, packing: false });
  },
  "lines, packed": async () => {
    await write("a.txt", words.join("\n"));
    return open("lines", { path: "a.txt", validation: 0.3 });
  },
  jsonl: async () => {
    await write("a.jsonl", asJson);
    return open("jsonl", { path: "a.jsonl", validation: 0.3, columns });
  },
  csv: async () => {
    await write("a.csv", `text,label\n${records.map(({ text, label }) => `${text},${label}\n`).join("")}`);
    return open("csv", { path: "a.csv", validation: 0.3, columns });
  },
  parquet: async () => {
    const columnData = [
      { name: "text", data: words },
      { name: "label", data: records.map(({ label }) => label) },
    ];
    await write("a.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    return open("parquet", { path: "a.parquet", validation: 0.3, columns });
  },
  code: async () => {
    for (const [at, text] of words.entries())
      await write(`src/file-${at}.ts`, `export const a${at} = "${text}";\n`);
    return open("code", { path: "src", validation: 0.3 });
  },
  memory: () => open("memory", { examples: records, validation: 0.3, columns }),
};

describe.each(Object.keys(loaders))("%s", (name) => {
  const opened = async () => (await loaders[name]?.()) as DataLoader;
  const read = async (loader: DataLoader, split: Split, request: object = {}) =>
    (await examplesOf(loader, split, request)).map((example) =>
      JSON.stringify("text" in example ? example : spell(example)),
    );

  test("ends each split after its first examples, in the order of the data", async () => {
    const loader = await opened();
    for (const split of ["train", "validation"] as const) {
      const all = await read(loader, split);
      expect(all.length).toBeGreaterThan(5);
      expect(await read(limited(loader, 5), split)).toEqual(all.slice(0, 5));
      expect(await read(limited(loader, 1000), split)).toEqual(all);
    }
  });

  test("mixes these in each epoch, and any position is reached", async () => {
    const loader = limited(await opened(), 5);
    const inOrder = await read(loader, "train");
    const epochs: string[][] = [];
    for (const epoch of [0, 1, 2, 3]) {
      const mixed = await read(loader, "train", { shuffle: true, epoch });
      expect([...mixed].sort()).toEqual([...inOrder].sort());
      expect(await read(loader, "train", { shuffle: true, epoch, start: 3 })).toEqual(mixed.slice(3));
      epochs.push(mixed);
    }
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(1);
  });

  test("a tokenizer learns from as many texts", async () => {
    const loader = await opened();
    const texts = await textsOf(loader);
    expect(await textsOf(limited(loader, 3))).toEqual(texts.slice(0, 3));
  });

  test("repeats the same few in every epoch, for validation too", async () => {
    const loader = await opened();
    const few = repeated(loader, 4);
    const expected = (await read(loader, "train")).slice(0, 4);
    for (const split of ["train", "validation"] as const)
      for (const epoch of [0, 1]) expect(await read(few, split, { shuffle: true, epoch })).toEqual(expected);
    expect(await read(few, "train", { start: 3 })).toEqual(expected.slice(3));
    expect(await textsOf(few)).toEqual(await textsOf(loader));
  });
});

test("classes and fingerprint are those of the whole data", async () => {
  const loader = await loaders.memory?.();
  if (loader === undefined) throw new Error("no loader");
  for (const part of [limited(loader, 1), repeated(loader, 1)]) {
    expect(await part.labels?.()).toEqual(["high", "low"]);
    expect(await part.fingerprint()).toBe(await loader.fingerprint());
  }
});
