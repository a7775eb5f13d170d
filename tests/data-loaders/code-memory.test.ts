import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { directory, write } from "./temporary-corpus.ts";
import { examplesOf, open, spell, textsOf } from "./temporary-records.ts";

async function tree(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) await write(path, content);
}

const paths = async (options: object = {}): Promise<string[]> =>
  textsOf(await open("code", { path: "repo", validation: 0, template: "{path}", ...options }));

describe("code", () => {
  test("reads source files, and not what people do not write", async () => {
    await tree({
      "repo/a.ts": "a",
      "repo/lib/b.py": "b",
      "repo/README.md": "r",
      "repo/photo.png": "no source",
      "repo/package-lock.json": "{}",
      "repo/lib/jquery.min.js": "m",
      "repo/types.d.ts": "d",
      "repo/node_modules/x/index.js": "n",
      "repo/.hidden/c.ts": "h",
      "repo/big.ts": "x\n".repeat(600_000),
    });
    await symlink("../a.ts", join(directory, "repo/lib/link.ts"));
    expect(await paths()).toEqual(["README.md", "a.ts", "lib/b.py"]);
    expect(await paths({ maxFileSize: 2_000_000 })).toContain("big.ts");
    const loader = await open("code", { path: "repo", validation: 0 });
    await examplesOf(loader);
    expect(loader.notes?.()).toEqual([
      expect.stringMatching(
        /^1 file\(s\) that are larger than `maxFileSize` were left out, .*big\.ts first$/,
      ),
    ]);
    expect(await paths({ languages: ["typescript"] })).toEqual(["a.ts"]);
    expect(await paths({ include: ["lib/**", "!*.js", "*.png"] })).toEqual(["lib/b.py", "photo.png"]);
    expect(await paths({ exclude: ["lib/"] })).toEqual(["README.md", "a.ts"]);
  });

  test("follows .gitignore files, nested ones, those above up to the repository's top, and no further", async () => {
    await tree({
      ".gitignore": "a.ts",
      "repo/.git/HEAD": "ref",
      "repo/.gitignore": "dist/\n*.gen.ts\n/only-top.ts",
      "repo/a.ts": "",
      "repo/b.gen.ts": "",
      "repo/dist/c.ts": "",
      "repo/only-top.ts": "",
      "repo/sub/.gitignore": "!keep.gen.ts\ndeep/**/x.ts",
      "repo/sub/keep.gen.ts": "",
      "repo/sub/only-top.ts": "",
      "repo/sub/deep/er/x.ts": "",
      "repo/sub/dist/d.ts": "",
    });
    for (const path of ["a.ts", "b.gen.ts", "dist/c.ts", "only-top.ts", "sub/keep.gen.ts", "sub/only-top.ts"])
      await write(`repo/${path}`, "x");
    expect(await paths()).toEqual(["a.ts", "sub/keep.gen.ts", "sub/only-top.ts"]);
    expect(await paths({ path: "repo/sub" })).toEqual(["keep.gen.ts", "only-top.ts"]);
    expect(await paths({ gitignore: false, include: ["dist/c.ts"] })).toEqual(["dist/c.ts"]);
  });

  test("makes a document of each file, ended by the tokenizer's end-of-text id, and of path and language when told", async () => {
    await tree({ "repo/a.ts": "\uFEFFlet a;\r\n", "repo/b.rs": "fn b" });
    const loader = await open("code", { path: "repo", validation: 0 });
    expect((await examplesOf(loader, "train", { sequenceLength: 99 })).map(spell)).toEqual([
      "let a;\r\n¶fn b¶",
    ]);
    const template = "// {language} {path}\n{text}";
    expect(await textsOf(await open("code", { path: "repo", validation: 0, template }))).toEqual([
      "// typescript a.ts\nlet a;\r\n",
      "// rust b.rs\nfn b",
    ]);
  });

  test("leaves out binary files and such that machines made, and says so; Latin-1 is an error", async () => {
    await tree({
      "repo/a.ts": "fine",
      "repo/b.ts": "a\0b",
      "repo/c.ts": Buffer.from("UTF-16", "utf16le"),
      "repo/d.ts": "x".repeat(1000),
    });
    const loader = await open("code", { path: "repo", validation: 0 });
    expect(await textsOf(loader)).toEqual(["fine"]);
    expect(loader.notes?.()).toEqual([
      expect.stringMatching(/^2 file\(s\) that are binary were left out, .*b\.ts first$/),
      expect.stringMatching(/^1 file\(s\) that are made by a machine were left out, .*d\.ts first$/),
    ]);
    await write("repo/e.ts", Buffer.of(0x63, 0x61, 0x66, 0xe9));
    await expect(textsOf(await open("code", { path: "repo", validation: 0 }))).rejects.toThrow(
      /e\.ts:1 cannot be read: .* the byte 0xE9 at offset 3/,
    );
    const skipping = await open("code", { path: "repo", validation: 0, onError: "skip" });
    expect(await textsOf(skipping)).toEqual(["fine"]);
  });

  test("keeps a file in its split when it is edited, with `splitKey: path`", async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`repo/f${i}.ts`, `// ${i}`]));
    const held = async () =>
      textsOf(
        await open("code", { path: "repo", validation: 0.3, splitKey: "path", template: "{path}{text}" }),
        "validation",
      );
    await tree(files);
    const before = await held();
    await tree(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, `${text} edited`])));
    expect(await held()).toEqual(before.map((text) => `${text} edited`));
  });

  test("says when there is nothing", async () => {
    await write("repo/a.png", "");
    await expect(paths()).rejects.toThrow(/path: no source file below repo: look at `languages`/);
    await expect(paths({ path: "missing" })).rejects.toThrow(/there is no file or folder .*missing/);
    await expect(paths({ languages: ["typoscript"] })).rejects.toThrow(/languages/);
  });
});

describe("memory", () => {
  test("takes texts and objects, and examples of its own for each split", async () => {
    const loader = await open("memory", {
      examples: ["one", { text: "two", unused: 1 }],
      validation: [{ text: "three" }],
      test: ["four"],
    });
    expect(loader.splits).toEqual(["train", "validation", "test"]);
    expect(await textsOf(loader)).toEqual(["one", "two"]);
    expect(await textsOf(loader, "validation")).toEqual(["three"]);
    expect(await textsOf(loader, "test")).toEqual(["four"]);
  });

  test("says which example is wrong", async () => {
    const loader = await open("memory", { examples: ["one", { title: "two" }], validation: 0 });
    await expect(textsOf(loader)).rejects.toThrow(/^examples\[1\] has no column "text"; it has "title"/);
    await expect(open("memory", { examples: [] })).rejects.toThrow(/examples/);
    await expect(open("memory", {})).rejects.toThrow(/examples/);
  });

  test("has another fingerprint for other examples, also when they only changed splits", async () => {
    const print = async (options: object) => (await open("memory", options)).fingerprint();
    const first = await print({ examples: ["a", "b"], validation: ["c"] });
    expect(await print({ examples: ["a", { text: "b" }], validation: ["c"] })).toBe(first);
    expect(await print({ examples: ["a"], validation: ["b", "c"] })).not.toBe(first);
    expect(await print({ examples: ["a", "B"], validation: ["c"] })).not.toBe(first);
  });
});
