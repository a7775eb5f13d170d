import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { directory, write } from "./temporary-corpus.ts";
import { examplesOf, open, textsOf } from "./temporary-records.ts";

const labelled = { columns: { text: "body", label: "kind" }, validation: 0 };

describe("csv", () => {
  test("reads columns by the first line, with quotes, CRLF, line ends and commas inside, and NUL", async () => {
    await write("a.csv", '\uFEFFkind,body\r\nx,"one, ""two""\r\nthree"\r\n\r\ny,fo\0ur\r\n');
    const loader = await open("csv", { path: "a.csv", ...labelled });
    expect(await examplesOf(loader)).toEqual([
      { text: 'one, "two"\r\nthree', label: "x" },
      { text: "fo\0ur", label: "y" },
    ]);
  });

  test("takes tabs in .tsv, another delimiter when told, compressed files, and names of columns", async () => {
    await write("a.tsv.gz", gzipSync("kind\tbody\nx\tone, two\n"));
    expect(await textsOf(await open("csv", { path: "a.tsv.gz", ...labelled }))).toEqual(["one, two"]);
    await write("b.csv", "x;one\ny;two\n");
    const options = { path: "b.csv", delimiter: ";", columnNames: ["kind", "body"], ...labelled };
    expect(await textsOf(await open("csv", options))).toEqual(["one", "two"]);
  });

  test("has nothing in an empty file, nor in one with only names", async () => {
    await write("data/a.csv", "");
    await write("data/b.csv", "kind,body\n");
    await write("data/c.csv", "body,kind\none,x\n");
    expect(await textsOf(await open("csv", { path: "data", ...labelled }))).toEqual(["one"]);
  });

  test.each([
    ["too few values", "x", /a\.csv:3 has 1 value\(s\), and the file 2 column\(s\)/],
    ["too many values", "x,two,three", /a\.csv:3 has 3 value\(s\)/],
  ])("says file and line of a record with %s, and can skip it", async (_, line, message) => {
    await write("a.csv", `kind,body\nx,one\n${line}\nx,last\n`);
    await expect(textsOf(await open("csv", { path: "a.csv", ...labelled }))).rejects.toThrow(message);
    const skipping = await open("csv", { path: "a.csv", ...labelled, onError: "skip" });
    expect(await textsOf(skipping)).toEqual(["one", "last"]);
    expect(skipping.notes?.()[0]).toMatch(message);
  });

  test.each(["\n", "\r\n"])("counts lines, not records (%j)", async (end) => {
    const content = ["kind,body", "", 'x,"one', "", 'more"', "", 'x,"two', 'three"', "x", ""].join(end);
    await write("a.csv", content);
    await expect(textsOf(await open("csv", { path: "a.csv", ...labelled }))).rejects.toThrow(
      /a\.csv:9 has 1/,
    );
    await write("b.csv", content.replace("two", 'x"y'));
    await expect(textsOf(await open("csv", { path: "b.csv", ...labelled }))).rejects.toThrow(
      /b\.csv:7 is not CSV/,
    );
  });

  test("says where a quote is out of place, and does not guess what follows, not even when told to skip", async () => {
    await write("a.csv", 'kind,body\nx,one\nx,"two" three\nx,last\n');
    for (const onError of ["error", "skip"])
      await expect(textsOf(await open("csv", { path: "a.csv", ...labelled, onError }))).rejects.toThrow(
        /a\.csv:3 is not CSV: Invalid Closing Quote/,
      );
  });

  test("says where a quote is not closed, where bytes are no UTF-8, and when a name is there twice", async () => {
    await write("a.csv", 'kind,body\nx,"one\ny,two\n');
    await expect(textsOf(await open("csv", { path: "a.csv", ...labelled }))).rejects.toThrow(
      /a\.csv:\d is not CSV: Quote Not Closed/,
    );
    await write("b.csv", Buffer.concat([Buffer.from("kind,body\nx,caf"), Buffer.of(0xe9, 0x0a)]));
    await expect(textsOf(await open("csv", { path: "b.csv", ...labelled }))).rejects.toThrow(
      /b\.csv is not UTF-8: the byte 0xE9 at offset 15/,
    );
    await write("c.csv", "body,body\none,two\n");
    await expect(textsOf(await open("csv", { path: "c.csv", ...labelled }))).rejects.toThrow(
      /c\.csv has two columns with the name "body"/,
    );
    await write("d.csv", "title\none\n");
    await expect(textsOf(await open("csv", { path: "d.csv", ...labelled }))).rejects.toThrow(
      /d\.csv:2 has no column "body"; it has "title"/,
    );
  });
});

describe("parquet", () => {
  const rows = Array.from({ length: 25 }, (_, i) => i);
  const columnData: ColumnSource[] = [
    { name: "body", data: rows.map((i) => `text ${i} 🐋\0`), type: "STRING" },
    { name: "kind", data: rows.map((i) => BigInt(i % 3)), type: "INT64" },
    { name: "unused", data: rows.map((i) => i / 7), type: "DOUBLE" },
  ];
  const writeParquet = (name: string, options: object = {}) =>
    write(name, Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 10, ...options })));

  test.each(["SNAPPY", "UNCOMPRESSED"])("reads row groups in order (%s)", async (codec) => {
    await writeParquet("a.parquet", { codec });
    const loader = await open("parquet", { path: "a.parquet", ...labelled });
    expect(await examplesOf(loader)).toEqual(
      rows.map((i) => ({ text: `text ${i} 🐋\0`, label: String(i % 3) })),
    );
    expect(await loader.labels?.()).toEqual(["0", "1", "2"]);
  });

  test("says which columns there are when one is missing", async () => {
    await writeParquet("a.parquet");
    await expect(textsOf(await open("parquet", { path: "a.parquet", validation: 0 }))).rejects.toThrow(
      /a\.parquet has no column "text"; it has "body", "kind", "unused"/,
    );
  });

  test("says file and row of a value of the wrong type, and can skip it", async () => {
    const data = rows.map((i) => (i === 12 ? null : `text ${i}`));
    await writeParquet("a.parquet", { columnData: [{ name: "text", data, type: "STRING" }] });
    await expect(textsOf(await open("parquet", { path: "a.parquet", validation: 0 }))).rejects.toThrow(
      /a\.parquet:13 has null in the column "text"/,
    );
    const skipping = await open("parquet", { path: "a.parquet", validation: 0, onError: "skip" });
    expect(await textsOf(skipping)).toHaveLength(24);
  });

  test("says which file is damaged, cut off, or no Parquet at all", async () => {
    await writeParquet("a.parquet", { codec: "UNCOMPRESSED" });
    const path = join(directory, "a.parquet");
    await truncate(path, (await readFile(path)).length - 20);
    await write("b.parquet", "this is no Parquet file at all");
    for (const name of ["a.parquet", "b.parquet"])
      await expect(textsOf(await open("parquet", { path: name, ...labelled }))).rejects.toMatchObject({
        code: "DATA_BAD_FILE",
        message: expect.stringContaining(`${name} cannot be read as Parquet`),
      });
  });

  test("has nothing in an empty file", async () => {
    await write("data/a.parquet", "");
    await writeParquet("data/b.parquet");
    expect(await textsOf(await open("parquet", { path: "data", ...labelled }))).toHaveLength(25);
  });
});
