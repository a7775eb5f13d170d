import { appendFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { fileBytes, type KnownFile } from "../../../src/data-loaders/records/file-bytes.ts";
import { collect, directory, write } from "../temporary-corpus.ts";
import { rawZstd, realZstd } from "../zstd-samples.ts";

async function known(name: string): Promise<KnownFile> {
  const path = join(directory, name);
  const { size, mtimeNs } = await stat(path, { bigint: true });
  return { path, name, bytes: Number(size), changed: mtimeNs };
}

async function read(name: string): Promise<Buffer> {
  return Buffer.concat(await collect(fileBytes(await known(name))));
}

describe("the bytes of a file", () => {
  test("come as they are, or decompressed by the ending of the name", async () => {
    const bytes = Buffer.from("some text 🐋\n".repeat(300_000));
    await write("a.txt", bytes);
    await write("a.txt.gz", gzipSync(bytes));
    await write("a.txt.zst", rawZstd(bytes));
    for (const name of ["a.txt", "a.txt.gz", "a.txt.zst"])
      expect((await read(name)).equals(bytes)).toBe(true);
  });

  test("come of all members of a gzip file and all frames of a zstd file", async () => {
    await write("a.gz", Buffer.concat([gzipSync("one "), gzipSync("two")]));
    await write("a.zst", Buffer.concat([rawZstd(Buffer.from("one ")), rawZstd(Buffer.from("two"))]));
    expect((await read("a.gz")).toString()).toBe("one two");
    expect((await read("a.zst")).toString()).toBe("one two");
  });

  test("come of what the zstd program compressed", async () => {
    await write("a.zst", realZstd.compressed);
    expect((await read("a.zst")).toString()).toBe(realZstd.text);
  });

  test.each(["", ".gz", ".zst"])("are none of an empty file (%s)", async (ending) => {
    await write(`empty${ending}`, "");
    expect(await read(`empty${ending}`)).toHaveLength(0);
  });

  test.each([
    ["a.gz", gzipSync("text that is long enough to be cut".repeat(50)).subarray(0, 40)],
    ["a.gz", Buffer.from("no gzip at all")],
    ["a.zst", rawZstd(Buffer.from("text that is long enough to be cut")).subarray(0, 20)],
    ["a.zst", realZstd.compressed.subarray(0, -9)],
    ["a.zst", Buffer.from("no zstd at all")],
  ])("of a damaged %s are an error with its name", async (name, bytes) => {
    await write(name, bytes);
    await expect(read(name)).rejects.toMatchObject({
      code: "DATA_BAD_FILE",
      message: expect.stringContaining(`${name} cannot be decompressed`),
    });
  });

  test("of a file that grows while it is read are an error", async () => {
    await write("log.txt", "x".repeat(3 << 20));
    const chunks = fileBytes(await known("log.txt"));
    await chunks.next();
    await appendFile(join(directory, "log.txt"), "more");
    await expect(collect(chunks)).rejects.toThrow(
      `log.txt had ${3 << 20} bytes when it was first read, and has ${(3 << 20) + 4} now`,
    );
  });

  test("of a file that grows while it is read are an error, compressed too", async () => {
    await write("log.gz", gzipSync(Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * i) % 251))));
    const chunks = fileBytes(await known("log.gz"));
    await appendFile(join(directory, "log.gz"), gzipSync("more"));
    await expect(collect(chunks)).rejects.toMatchObject({ code: "DATA_CHANGED" });
  });

  test("of a file that was written again, with as many bytes, are an error", async () => {
    await write("a.txt", "one");
    const file = await known("a.txt");
    await write("a.txt", "two");
    await utimes(file.path, new Date(), new Date(Date.now() + 5000));
    await expect(collect(fileBytes(file))).rejects.toThrow(/had 3 bytes .* and was written again since/);
  });
});
