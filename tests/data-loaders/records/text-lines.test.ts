import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textLines } from "../../../src/data-loaders/records/text-lines.ts";
import { collect } from "../temporary-corpus.ts";

async function* inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (let i = 0; from < bytes.length; i++) {
    const to = from + (sizes[i % sizes.length] ?? 1);
    yield Buffer.from(bytes.subarray(from, to));
    from = to;
  }
}

async function linesOf(content: string | Uint8Array, sizes: readonly number[] = [1 << 20]) {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return (await collect(textLines("a.txt", inChunks(bytes, sizes)))).flat();
}

describe("lines", () => {
  test("are cut at LF and CRLF, counted from 1, with or without an end of the last", async () => {
    const expected = [
      { at: 1, text: "one" },
      { at: 2, text: "" },
      { at: 3, text: "three\rstill" },
    ];
    expect(await linesOf("one\r\n\nthree\rstill")).toEqual(expected);
    expect(await linesOf("one\n\r\nthree\rstill\r\n")).toEqual(expected);
  });

  test("are none in an empty file, nor in one with only a byte order mark", async () => {
    expect(await linesOf("")).toEqual([]);
    expect(await linesOf("\uFEFF")).toEqual([]);
  });

  test("keep NUL, and a byte order mark that is not at the start", async () => {
    expect(await linesOf("\uFEFFa\0b\nc\uFEFFd\n")).toEqual([
      { at: 1, text: "a\0b" },
      { at: 2, text: "c\uFEFFd" },
    ]);
  });

  test("are the same whatever the chunks in which the bytes come", async () => {
    const text = fc.array(fc.constantFrom("a", "é", "🐋", "\n", "\r\n", "\uFEFF", "\0"), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        async (parts, sizes) => {
          const whole = parts.join("");
          const expected = whole.replace(/^\uFEFF/, "").split(/\r?\n/);
          if (expected.at(-1) === "") expected.pop();
          expect((await linesOf(whole, sizes)).map((line) => "text" in line && line.text)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("that are not UTF-8 say which byte is broken, and the others stay", async () => {
    const bytes = Buffer.concat([Buffer.from("good\ncaf"), Buffer.of(0xe9), Buffer.from("!\nbé\n")]);
    for (const sizes of [[1 << 20], [1], [6]])
      expect(await linesOf(bytes, sizes)).toEqual([
        { at: 1, text: "good" },
        {
          at: 2,
          problem: "is not UTF-8: the byte 0xE9 at offset 3 of the line begins no whole character",
        },
        { at: 3, text: "bé" },
      ]);
  });

  test("of a file in UTF-16 are none: the file is refused", async () => {
    await expect(linesOf(Buffer.from("\uFEFFtext\n", "utf16le"))).rejects.toThrow(/looks like UTF-16/);
  });

  test("may be 100 MB long", async () => {
    const long = Buffer.alloc(100 << 20, "abcdefg ");
    const lines = await linesOf(Buffer.concat([Buffer.from("short\n"), long, Buffer.from("\nend\n")]));
    expect(lines.map((line) => "text" in line && line.text.length)).toEqual([5, 100 << 20, 3]);
  });
});
