import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { directory, idsOf, load, loaderOf, numbered, read, write } from "./temporary-corpus.ts";

describe("says what is wrong", () => {
  test.each([
    ["missing.txt", /there is no file or folder .*missing\.txt/],
    ["*.nothing", /the glob "\*\.nothing" matches no file in/],
    ["empty", /the folder .*empty holds no files/],
    [["a.txt", "missing.txt"], /path\[1\].*there is no file or folder|there is no file or folder .*missing/s],
    ["", /path/],
    [[], /path/],
  ])("when path is %j", async (path, message) => {
    await write("a.txt", "a");
    await mkdir(join(directory, "empty"));
    await expect(load({ path })).rejects.toThrow(message);
  });

  test.each([1, -0.1, "missing"])("when validation is %j", async (validation) => {
    await write("a.txt", "a");
    await expect(load({ path: "a.txt", validation })).rejects.toThrow(/validation/);
  });

  test("when a file is there and cannot be opened", async () => {
    // Root may read anything, so permissions would prove nothing here: a link to itself stops everybody.
    await symlink("loop.txt", join(directory, "loop.txt"));
    await expect(load({ path: "loop.txt" })).rejects.toThrow(/loop\.txt cannot be opened \(ELOOP\)/);
  });

  test.each<[string, number[], number]>([
    ["a Latin-1 byte", [0x63, 0x61, 0x66, 0xe9, 0x21], 3],
    ["a lone continuation", [0x61, 0x80], 1],
    ["an overlong form", [0x61, 0x62, 0xc0, 0xaf], 2],
    ["an encoded surrogate", [0xed, 0xa0, 0x80], 0],
    ["a character that the file ends in", [0x61, 0xf0, 0x9f, 0x91], 1],
    ["UTF-16", [0xff, 0xfe, 0x61, 0x00], 0],
  ])("when the file has %s, with the offset", async (_, bytes, offset) => {
    const loader = await loaderOf(Uint8Array.from(bytes));
    await expect(read(loader, "train")).rejects.toThrow(
      new RegExp(`corpus\\.txt is not UTF-8: .* offset ${offset} `),
    );
    await expect(loader.fingerprint()).rejects.toMatchObject({ code: "DATA_INVALID_UTF8" });
  });

  test("when the broken byte comes after megabytes of text in several bytes a character", async () => {
    const text = Buffer.from(`a${"é🐋".repeat(500_000)}`);
    const loader = await loaderOf(Buffer.concat([text, Uint8Array.of(0xff), text]));
    await expect(read(loader, "train")).rejects.toThrow(`offset ${text.length} `);
  });

  test("when there is no text", async () => {
    await expect(read(await loaderOf(""), "train")).rejects.toThrow(/the train split has no text/);
    await expect(read(await loaderOf("\uFEFF"), "train")).rejects.toThrow(/the train split has no text/);
    await expect(idsOf(await loaderOf("a", 0.1), "train")).rejects.toThrow(/the train split has no text/);
    await expect(idsOf(await loaderOf("a"), "train", { shuffle: false })).rejects.toThrow(/has 1 token/);
  });

  test("when asked for a split that it has not", async () => {
    const loader = await loaderOf("some text");
    await expect(read(loader, "test")).rejects.toThrow(/no test split, only train/);
    await expect(read(loader, "validation")).rejects.toThrow(/`validation` is 0/);
  });

  test("when a file changes under it", async () => {
    const loader = await loaderOf("some text");
    await loader.fingerprint();
    await write("corpus.txt", "some other text");
    await expect(read(loader, "train")).rejects.toThrow(/had 9 bytes when it was first read, and has 15 now/);
  });

  test("when the position is no count", async () => {
    const loader = await loaderOf(numbered);
    await expect(idsOf(loader, "train", { start: -1 })).rejects.toThrow(RangeError);
    await expect(idsOf(loader, "train", { sequenceLength: 0 })).rejects.toThrow(RangeError);
  });
});
