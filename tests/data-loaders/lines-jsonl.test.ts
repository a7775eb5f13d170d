import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { directory, write } from "./temporary-corpus.ts";
import { examplesOf, open, spell, textsOf } from "./temporary-records.ts";
import { rawZstd } from "./zstd-samples.ts";

const jsonLines = (...records: unknown[]): string =>
  records.map((one) => `${JSON.stringify(one)}\n`).join("");

describe("lines", () => {
  test("makes a document of each line that has text, of files of any compression", async () => {
    await write("data/a.txt", "\uFEFFone\r\n\r\ntwo");
    await write("data/b.txt.gz", gzipSync("three\n"));
    await write("data/c.txt.zst", rawZstd(Buffer.from("four\n")));
    await write("data/d.txt", "");
    const loader = await open("lines", { path: "data/*", validation: 0 });
    expect(await textsOf(loader)).toEqual(["one", "two", "three", "four"]);
    expect((await examplesOf(loader)).map(spell)).toEqual(["one¶two¶three¶fou", "ur¶"]);
    expect(loader.notes?.()).toEqual(["1 record(s) without text were left out"]);
  });

  test("counts what the tokenizer makes no token of, once it was asked", async () => {
    await write("a.txt", "one\n   \n\ntwo");
    const loader = await open("lines", { path: "a.txt", validation: 0, packing: false });
    const words = { vocabSize: 256, encode: (text: string) => Buffer.from(text.trim()), decode: () => "" };
    expect(await textsOf(loader)).toEqual(["one", "   ", "two"]);
    expect(await examplesOf(loader, "train", { tokenizer: words })).toHaveLength(2);
    expect(loader.notes?.()).toEqual([
      "1 record(s) whose text the tokenizer makes no token of were left out",
      "1 record(s) without text were left out",
    ]);
  });

  test("says file and line of a broken one; skips and counts it when told", async () => {
    await write("a.txt", Buffer.concat([Buffer.from("one\n"), Buffer.of(0xff), Buffer.from("\ntwo\n")]));
    await expect(textsOf(await open("lines", { path: "a.txt", validation: 0 }))).rejects.toMatchObject({
      code: "DATA_BAD_RECORD",
      message: expect.stringMatching(/a\.txt:2 is not UTF-8: the byte 0xFF .*`onError: skip`/),
    });
    const skipping = await open("lines", { path: "a.txt", validation: 0, onError: "skip" });
    expect(await textsOf(skipping)).toEqual(["one", "two"]);
    expect(skipping.notes?.()).toEqual([
      expect.stringMatching(
        /^1 record\(s\) that could not be used were skipped:\n {2}.*a\.txt:2 is not UTF-8/,
      ),
    ]);
  });
});

describe("jsonl", () => {
  test("reads text, pair and label from columns of any name", async () => {
    const records = [
      { a: "is it?", b: "it is", verdict: "yes", extra: { deep: "x" } },
      { a: "was it?", b: "never", verdict: "no", extra: { deep: "y" } },
    ];
    await write("a.jsonl", jsonLines(...records));
    const columns = { text: "a", textPair: "b", label: "verdict" };
    const loader = await open("jsonl", { path: "a.jsonl", columns, validation: 0 });
    expect(await examplesOf(loader)).toEqual([
      { text: "is it?", textPair: "it is", label: "yes" },
      { text: "was it?", textPair: "never", label: "no" },
    ]);
    expect(await loader.labels?.()).toEqual(["no", "yes"]);
    expect(await textsOf(loader)).toEqual(["is it?", "it is", "was it?", "never"]);
    const deep = await open("jsonl", { path: "a.jsonl", columns: { text: "extra.deep" }, validation: 0 });
    expect(await textsOf(deep)).toEqual(["x", "y"]);
  });

  test("makes texts by a template", async () => {
    await write("a.jsonl", jsonLines({ title: "T", n: 3, meta: { ok: true } }));
    const template = "{title} {{n}}={n}\n{meta.ok}";
    expect(await textsOf(await open("jsonl", { path: "a.jsonl", template, validation: 0 }))).toEqual([
      "T {n}=3\ntrue",
    ]);
  });

  test.each([
    ["{title", /template.*a "\{" without its partner/],
    ["title", /template.*it names no column/],
  ])("refuses the template %j", async (template, message) => {
    await write("a.jsonl", jsonLines({ title: "T" }));
    await expect(open("jsonl", { path: "a.jsonl", template })).rejects.toThrow(message);
  });

  test("turns numbers and booleans into labels, sorts numbers as such, and takes lists", async () => {
    const write10 = (label: (i: number) => unknown) =>
      write(
        "a.jsonl",
        jsonLines(...Array.from({ length: 11 }, (_, i) => ({ text: `t${i}`, label: label(i) }))),
      );
    const options = { path: "a.jsonl", columns: { label: "label" }, validation: 0 };
    await write10((i) => i);
    const numbers = await open("jsonl", options);
    expect(await numbers.labels?.()).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    await write10((i) => i % 2 === 0);
    expect(await (await open("jsonl", options)).labels?.()).toEqual(["false", "true"]);
    await write10((i) => (i < 5 ? ["b", "a", "b"] : []));
    const lists = await open("jsonl", options);
    expect(await lists.labels?.()).toEqual(["a", "b"]);
    expect((await examplesOf(lists))[0]).toEqual({ text: "t0", label: ["b", "a"] });
    expect((await examplesOf(lists))[10]).toEqual({ text: "t10", label: [] });
  });

  test("takes the order of labels from the options, and no other label then", async () => {
    await write("a.jsonl", jsonLines({ text: "a", label: "no" }, { text: "b", label: "maybe" }));
    const options = { path: "a.jsonl", columns: { label: "label" }, validation: 0 };
    const loader = await open("jsonl", { ...options, labels: ["yes", "no", "maybe"] });
    expect(await loader.labels?.()).toEqual(["yes", "no", "maybe"]);
    await expect(examplesOf(await open("jsonl", { ...options, labels: ["yes", "no"] }))).rejects.toThrow(
      /a\.jsonl:2 has the label "maybe", which `labels` does not list: "yes", "no"/,
    );
  });

  const label = { columns: { label: "label" } };
  test.each<[string, object, RegExp]>([
    ["{ no json", {}, /:2 is not JSON: /],
    ['{"text": "a\0b"}', {}, /:2 is not JSON: /],
    ["[1]", {}, /:2 holds a list, where an object should be/],
    ['{"body": "b"}', {}, /:2 has no column "text"; it has "body"/],
    ['{"text": null}', {}, /:2 has null in the column "text"/],
    ['{"text": 3}', {}, /:2 has a number in the column "text", where a text should be/],
    ['{"text": "b"}', label, /:2 has no column "label"; it has "text"/],
    ['{"text": "b", "label": {"a": 1}}', label, /:2 has an object in the column "label", where a label/],
    ['{"text": "b", "label": ["a", null]}', label, /:2 has null in the column "label"/],
    ['{"text": "b", "label": ""}', label, /:2 has an empty text in the column "label"/],
    ['{"text": "b", "label": ["a"]}', label, /:2 has a list of labels, and the records before it have one/],
  ])("says file and line of the record %j, and can skip it", async (line, options, message) => {
    await write("a.jsonl", `{"text": "a", "label": "x"}\n${line}\n\n{"text": "c", "label": "y"}\n`);
    const given = { path: "a.jsonl", validation: 0, ...options };
    await expect(examplesOf(await open("jsonl", given))).rejects.toThrow(message);
    const skipping = await open("jsonl", { ...given, onError: "skip", packing: false });
    expect((await examplesOf(skipping)).map(spell).map((text) => text.replace("¶", ""))).toEqual(["a", "c"]);
    expect(skipping.notes?.()[0]).toMatch(/^1 record\(s\) that could not be used were skipped/);
    expect(skipping.notes?.()[0]).toMatch(message);
  });

  test("shows three of many broken records, and counts all", async () => {
    await write("a.jsonl", `${"broken\n".repeat(10)}{"text": "fine"}\n`);
    const loader = await open("jsonl", { path: "a.jsonl", validation: 0, onError: "skip" });
    await examplesOf(loader);
    expect(loader.notes?.()[0]).toMatch(/^10 record.*:1 .*\n.*:2 .*\n.*:3 .*\n {2}and 7 more$/s);
  });

  test("reads a line of 100 MB", async () => {
    const long = Buffer.concat([
      Buffer.from('{"text":"'),
      Buffer.alloc(100 << 20, "abcdefg "),
      Buffer.from('"}\n'),
    ]);
    await write(
      "a.jsonl",
      Buffer.concat([Buffer.from('{"text":"first"}\n'), long, Buffer.from('{"text":"last"}')]),
    );
    let characters = 0;
    let pieces = 0;
    for await (const text of (await open("jsonl", { path: "a.jsonl", validation: 0 })).texts("train")) {
      characters += text.length;
      pieces++;
    }
    expect(characters).toBe((100 << 20) + 9);
    expect(pieces).toBeGreaterThan(1000);
  });

  test("says so when a file grows between two readings", async () => {
    await write("a.jsonl", '{"text":"one"}\n{"text":"two"}\n');
    const loader = await open("jsonl", { path: "a.jsonl", validation: 0 });
    await textsOf(loader);
    await appendFile(join(directory, "a.jsonl"), '{"text":"three"}\n');
    await expect(examplesOf(loader)).rejects.toMatchObject({ code: "DATA_CHANGED" });
  });

  test("says so when there is no record", async () => {
    await write("a.jsonl", "\n");
    const loader = await open("jsonl", { path: "a.jsonl", validation: 0 });
    await expect(examplesOf(loader)).rejects.toThrow(/the train split has no records/);
    await expect(textsOf(loader)).rejects.toThrow(/the train split has no records/);
  });

  test.each<[object, RegExp]>([
    [{ path: undefined }, /path.*expected a file, a folder, a glob/],
    [{ sources: [{ path: "a.jsonl", weight: 1 }] }, /`sources` says where the data is/],
    [{ packing: true, columns: { label: "l" } }, /packing.*cannot be joined/],
    [{ labels: ["a"] }, /labels.*there is no column of labels/],
    [{ labels: ["a", "a"], columns: { label: "l" } }, /a label is there twice/],
    [{ template: "{a}", columns: { text: "b" } }, /template.*give one of both/],
    [{ validation: 0.5, test: 0.5 }, /test.*leave nothing to train on/],
    [{ validation: "a.jsonl" }, /validation.*a\.jsonl is among the files for training too/],
    [{ split: { column: "s" }, validation: 0.1 }, /validation.*leave this share out/],
    [{ split: { column: "s", validation: "train" } }, /"train" is the value for train too/],
  ])("refuses %j", async (options, message) => {
    await write("a.jsonl", '{"text":"one"}\n');
    await expect(open("jsonl", { path: "a.jsonl", ...options })).rejects.toThrow(message);
  });
});
