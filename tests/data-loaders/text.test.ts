import { symlink } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collect, directory, idsOf, load, loaderOf, numbered, read, write } from "./temporary-corpus.ts";

describe("which text", () => {
  test("a file: its text, with CRLF kept and a byte order mark at the start left out", async () => {
    const text = "one\r\ntwo \uFEFFthree\r\n";
    const loader = await loaderOf(`\uFEFF${text}`);
    expect(await read(loader, "train")).toBe(text);
    expect(loader.splits).toEqual(["train"]);
  });

  test("a folder: all its files by name, but hidden ones", async () => {
    await write("data/b.txt", "2");
    await write("data/a/z.md", "1");
    await write("data/Z.txt", "0");
    await write("data/.hidden", "no");
    await write("data/.git/config", "no");
    const loader = await load({ path: "data", validation: 0 });
    expect(await read(loader, "train")).toBe("012");
  });

  test("a glob, and a list with one file named twice", async () => {
    await write("data/a.txt", "1");
    await write("data/deep/b.txt", "2");
    await write("data/c.bin", "no");
    expect(await read(await load({ path: "data/**/*.txt", validation: 0 }), "train")).toBe("12");
    const list = await load({ path: ["data/deep", "data/a.txt", "data/*.txt"], validation: 0 });
    expect(await read(list, "train")).toBe("12");
  });

  test("a name that looks like a glob, when there is such a file", async () => {
    await write("notes [draft].txt", "draft");
    expect(await read(await load({ path: "notes [draft].txt", validation: 0 }), "train")).toBe("draft");
  });

  test("says which files have none", async () => {
    await write("data/a.txt", "some text");
    await write("data/b.txt", "");
    await write("data/c.txt", "\uFEFF");
    const loader = await load({ path: "data", validation: 0.5 });
    expect(await read(loader, "train")).toBe("some");
    expect(loader.notes?.()).toEqual([
      expect.stringMatching(/^2 file\(s\) without text were left out, .*b\.txt first$/),
    ]);
  });

  test("each file once, although links lead to it again and again", async () => {
    await write("data/a.txt", "1");
    await write("data/sub/b.txt", "2");
    await symlink("..", join(directory, "data/sub/loop"));
    await symlink("../a.txt", join(directory, "data/sub/link.txt"));
    expect(await read(await load({ path: "data", validation: 0 }), "train")).toBe("12");
  });

  test("an absolute path", async () => {
    await write("a.txt", "here");
    expect(await read(await load({ path: join(directory, "a.txt"), validation: 0 }), "train")).toBe("here");
  });

  test("comes in pieces of about 64 KB that end where a word ends, and loses nothing", async () => {
    const text = "It is  a whale 🐋,\r\n\r\n  says he. ".repeat(30_000);
    const loader = await loaderOf(text);
    const pieces = await collect(loader.texts("train"));
    expect(pieces.join("")).toBe(text);
    expect(pieces.length).toBeGreaterThan(10);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(65_536);
    for (const piece of pieces.slice(1)) expect(piece).toMatch(/^[ \n\r\t]/);
    for (const piece of pieces.slice(0, -1)) expect(piece).toMatch(/\S$/);
  });

  test("comes whole when no word ends, across the chunks in which a file is read", async () => {
    const text = "🐋é".repeat(400_000);
    const pieces = await collect((await loaderOf(text)).texts("train"));
    expect(pieces).toHaveLength(1);
    expect(pieces[0] === text).toBe(true);
  });
});

describe("what is held out", () => {
  test("the last share of the characters; no character is in both splits or in none", async () => {
    const loader = await loaderOf(numbered, 0.25);
    expect(loader.splits).toEqual(["train", "validation"]);
    expect(await read(loader, "train")).toBe(numbered.slice(0, 75));
    expect(await read(loader, "validation")).toBe(numbered.slice(75));
  });

  test("a tenth unless told", async () => {
    await write("corpus.txt", numbered);
    const loader = await load({ path: "corpus.txt" });
    expect(await read(loader, "validation")).toBe(numbered.slice(90));
  });

  test("never half a surrogate pair, wherever the cut falls", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "é", "👍", " "), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        async (parts, validation) => {
          const text = parts.join("");
          const loader = await loaderOf(text, validation);
          const expected = Math.floor(text.length * (1 - validation));
          const train = expected === 0 ? "" : await read(loader, "train").catch(() => "");
          expect(train).not.toMatch(/\p{Surrogate}/u);
          expect(expected - train.length).toBeLessThanOrEqual(1);
          if (train.length < text.length && validation > 0)
            expect(train + (await read(loader, "validation"))).toBe(text);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("the end of the whole text of several files, with the end-of-text id between documents", async () => {
    await write("data/a.txt", "aaaa");
    await write("data/b.txt", "bbbb");
    await write("data/c.txt", "cc");
    const loader = await load({ path: "data", validation: 0.5 });
    const inOrder = { shuffle: false, sequenceLength: 100 };
    const [a, b, c, eos] = [97, 98, 99, 256];
    expect(await idsOf(loader, "train", inOrder)).toEqual([[a, a, a, a, eos, b]]);
    expect(await idsOf(loader, "validation", inOrder)).toEqual([[b, b, b, eos, c, c]]);
  });

  test("files of their own", async () => {
    await write("train/a.txt", "learn");
    await write("held/b.txt", "check");
    const loader = await load({ path: "train", validation: "held/*.txt" });
    expect(await read(loader, "train")).toBe("learn");
    expect(await read(loader, "validation")).toBe("check");
    await expect(load({ path: ["train", "held"], validation: "held" })).rejects.toThrow(
      /b\.txt is among the files of `path` too/,
    );
  });

  test("has the same text whatever the seed", async () => {
    const loader = await loaderOf(numbered, 0.3);
    const held = new Set(numbered.slice(70));
    for (const seed of [1, 2, 3])
      for (const ids of await idsOf(loader, "train", { seed }))
        for (const id of ids) expect(held.has(String.fromCharCode(id))).toBe(false);
  });
});

describe("fingerprint", () => {
  test("is equal for equal files, wherever they lie", async () => {
    await write("one/data/a.txt", "a");
    await write("one/data/b.txt", "b");
    await write("two/elsewhere/a.txt", "a");
    await write("two/elsewhere/b.txt", "b");
    const one = await (await load({ path: "one/data" })).fingerprint();
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(await (await load({ path: "two/elsewhere/*" })).fingerprint()).toBe(one);
  });

  test("changes with a byte, a name, an empty file, or the split of a file", async () => {
    await write("a/x.txt", "hello");
    await write("b/x.txt", "hellp");
    await write("c/y.txt", "hello");
    await write("d/x.txt", "hello");
    await write("d/empty.txt", "");
    await write("e/x.txt", "\uFEFFhello");
    const prints = await Promise.all(
      ["a", "b", "c", "d", "e"].map(async (path) => (await load({ path })).fingerprint()),
    );
    prints.push(await (await load({ path: "a", validation: "b" })).fingerprint());
    expect(new Set(prints).size).toBe(prints.length);
  });
});
