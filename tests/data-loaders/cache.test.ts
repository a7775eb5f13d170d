import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdir,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { dataLoaderRegistry } from "../../src/data-loaders/index.ts";
import { DigestCache } from "../../src/data-loaders/records/digests.ts";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { collect, directory, tokenizer, write } from "./temporary-corpus.ts";
import { examplesOf, request, spell, words } from "./temporary-records.ts";

const lines = Array.from({ length: 3000 }, (_, i) => words(i));
const cache = (): string => join(directory, ".codex-ml/cache");
/** All examples of a loader, spelled. */
const spelled = async (...args: Parameters<typeof examplesOf>) =>
  (await examplesOf(...args)).map(spell).join("|");
const open = (options: object = {}) =>
  dataLoaderRegistry.create("lines", { path: "data.txt", validation: 0, ...options }, { directory });

/** Counts what it encodes, and can be told from no other by what it saves. */
function counting(over: Partial<Tokenizer> = {}): Tokenizer & { encodings: number } {
  const { vocabSize, eosTokenId } = tokenizer;
  return {
    encodings: -1, // of the sample that the digest is made of
    vocabSize,
    eosTokenId,
    encode(text) {
      this.encodings++;
      return tokenizer.encode(text);
    },
    decode: (ids) => tokenizer.decode(ids),
    save: () => ({ "tokenizer.json": "{}" }),
    load: () => {},
    ...over,
  };
}

async function encodingsOf(options: object = {}, over: Partial<Tokenizer> = {}): Promise<number> {
  const subject = counting(over);
  await examplesOf(await open(options), "train", { tokenizer: subject });
  return subject.encodings;
}

async function entries(): Promise<string[]> {
  return (await readdir(cache()).catch(() => [])).filter((name) => /^[0-9a-f]{32}$/.test(name));
}

beforeEach(() => write("data.txt", lines.join("\n")));

describe("the cache of tokens", () => {
  test("is made once for equal data, options and tokenizer, and gives the same examples as none", async () => {
    expect(await encodingsOf()).toBe(3000);
    expect(await encodingsOf()).toBe(0);
    const place = { shuffle: true, epoch: 3, start: 100 };
    const [cached, plain] = await Promise.all(
      [{}, { cache: false }].map(async (options) => spelled(await open(options), "train", place)),
    );
    expect(cached === plain).toBe(true);
    expect(cached?.length).toBeGreaterThan(100_000);
  });

  test("lies beside the run file, out of git's sight, or where it is told to", async () => {
    await encodingsOf();
    expect(await readFile(join(cache(), ".gitignore"), "utf8")).toBe("*\n");
    await encodingsOf({ cache: "elsewhere" });
    expect(await readdir(join(directory, "elsewhere"))).toHaveLength(2);
  });

  test("is made again for other data, other options and other tokenizers", async () => {
    await encodingsOf();
    expect(await encodingsOf({ validation: 0.5 })).toBe(3000);
    expect(await encodingsOf({}, { save: () => ({ "tokenizer.json": "{ }" }) })).toBe(3000);
    expect(await encodingsOf({}, { encode: () => [1, 2] })).toBe(-1); // it counts nothing
    expect(await encodingsOf({}, { eosTokenId: undefined })).toBe(3000);
    expect(await entries()).toHaveLength(5);
    await write("data.txt", [...lines, "more"].join("\n"));
    expect(await encodingsOf()).toBe(3001);
  });

  test("is not shared by tokenizers that cannot say what they are", async () => {
    const { save, load, ...plain } = counting();
    const subject = { ...plain, encodings: 0 };
    await examplesOf(await open(), "train", { tokenizer: subject });
    expect(subject.encodings).toBe(3000);
    expect(await entries()).toEqual([]);
  });

  test("holds records with labels or pairs, whatever the tokenizer", async () => {
    await write("data.jsonl", lines.map((text, i) => JSON.stringify({ text, label: i % 2 })).join("\n"));
    const options = { path: "data.jsonl", columns: { label: "label" }, validation: 0 };
    const labelled = () => dataLoaderRegistry.create("jsonl", options, { directory });
    const first = await examplesOf(await labelled(), "train", { shuffle: true });
    const again = await labelled();
    expect(await examplesOf(again, "train", { shuffle: true, tokenizer: counting() })).toEqual(first);
    expect(await again.labels?.()).toEqual(["0", "1"]);
    expect(await entries()).toHaveLength(1);
  });

  test("keeps what was found: notes come from it too", async () => {
    await write("data.txt", Buffer.concat([Buffer.from("one\n\n"), Buffer.of(0xff), Buffer.from("\ntwo")]));
    const notes = async () => {
      const loader = await open({ onError: "skip" });
      await examplesOf(loader);
      return loader.notes?.();
    };
    const first = await notes();
    expect(first).toHaveLength(2);
    expect(await notes()).toEqual(first);
  });

  test.each<[string, (entry: string) => Promise<unknown>, RegExp]>([
    [
      "cut off",
      (entry) => truncate(join(entry, "train.items"), 1000),
      /train\.items has 1000 bytes, not \d+/,
    ],
    ["without a file", (entry) => rm(join(entry, "train.ends")), /train\.ends is missing/],
    ["without a manifest", (entry) => rm(join(entry, "manifest.json")), /it has no manifest/],
    [
      "with a broken manifest",
      (entry) => writeFile(join(entry, "manifest.json"), "{"),
      /manifest cannot be read/,
    ],
    [
      "with one bit that is another",
      async (entry) => {
        const file = await openFile(join(entry, "train.items"), "r+");
        const byte = Buffer.alloc(1);
        await file.read(byte, 0, 1, 5000);
        await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, 5000);
        await file.close();
      },
      /train\.items is damaged between the bytes 0 and \d+/,
    ],
  ])("%s is found out, made again, and told", async (_, damage, message) => {
    const expected = await spelled(await open());
    const [name] = await entries();
    await damage(join(cache(), name ?? ""));
    const loader = await open();
    expect((await spelled(loader)) === expected).toBe(true);
    expect(loader.notes?.()).toEqual([expect.stringMatching(message)]);
    expect(loader.notes?.()[0]).toMatch(/^the data cache was damaged .* made again$/);
    const after = await open();
    expect((await spelled(after)) === expected).toBe(true);
    expect(after.notes?.()).toEqual([]);
  });

  test("that is removed while it is in use is an error that says so", async () => {
    const loader = await open();
    await examplesOf(loader);
    await rm(cache(), { recursive: true });
    await expect(examplesOf(loader)).rejects.toMatchObject({ code: "DATA_CACHE" });
  });

  test("that cannot be written says what to do", async () => {
    await write("file", "");
    await expect(examplesOf(await open({ cache: "file/below" }))).rejects.toThrow(
      /the data cache .*below cannot be used: .*`cache: false`/,
    );
  });

  test("is not at fault when the data cannot be read", async () => {
    await symlink("nowhere", join(directory, "link.txt"));
    const loader = await open();
    await rm(join(directory, "data.txt"));
    await expect(examplesOf(loader)).rejects.toThrow(/ENOENT.*data\.txt/);
  });
});

describe("the cache of digests", () => {
  const old = new Date(Date.now() - 60_000);
  const age = () => utimes(join(directory, "data.txt"), old, old);

  test("spares reading a file again, but not one that was changed, however its times are set", async () => {
    await age();
    await new Promise((resolve) => setTimeout(resolve, 2100)); // a fresh change could be followed by one with the same time
    const digest = async (found: string) => {
      const { size, mtimeNs } = await stat(join(directory, "data.txt"), { bigint: true });
      const path = join(directory, "data.txt");
      const digests = new DigestCache(cache());
      const given = await digests.of(
        { path, name: "data.txt", bytes: Number(size), changed: mtimeNs },
        async () => found,
      );
      await digests.save();
      return given;
    };
    expect(await digest("first")).toBe("first");
    expect(await digest("not asked for")).toBe("first");
    await write("data.txt", lines.join("\n").replace(words(7), words(8))); // as many bytes
    await age();
    expect(await digest("second")).toBe("second");
    expect(await digest("changed too lately to be kept")).toBe("changed too lately to be kept");
  });

  test("survives damage", async () => {
    const first = await (await open()).fingerprint();
    await mkdir(cache(), { recursive: true });
    await writeFile(join(cache(), "digests.json"), '{"/a": [1');
    expect(await (await open()).fingerprint()).toBe(first);
  });
});

describe("processes", () => {
  const script = fileURLToPath(new URL("./caching-process.mjs", import.meta.url));
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [script, directory, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const printed = collect(child.stdout.setEncoding("utf8")).then((parts: string[]) => parts.join(""));
    return { child, printed };
  };
  const writing = async () => (await readdir(cache())).filter((name) => name.startsWith(".writing-"));

  test("one that is killed while it writes leaves nothing that another would take for whole", async () => {
    const { child } = start("2000");
    await once(child.stdout, "data");
    expect(await writing()).toHaveLength(1);
    child.kill("SIGKILL");
    await once(child, "close");
    expect(await writing()).toHaveLength(1);
    expect(await entries()).toEqual([]);
    const after = JSON.parse(await start().printed) as { encodings: number };
    expect(after.encodings).toBe(3001); // with the sample
    expect(await writing()).toEqual([]);
    expect(JSON.parse(await start().printed)).toEqual({ ...after, encodings: 1 });
  });

  test("several at once make one entry and see the same", async () => {
    const all = await Promise.all(
      [1, 2, 3].map(async () => JSON.parse(await start().printed) as { sum: number }),
    );
    expect(new Set(all.map(({ sum }) => sum)).size).toBe(1);
    expect(await entries()).toHaveLength(1);
    expect(await writing()).toEqual([]);
  });

  test("one that lives keeps what it writes, whatever others do", async () => {
    const { child } = start("2000");
    await once(child.stdout, "data");
    expect(await encodingsOf()).toBe(3000);
    expect(await writing()).toHaveLength(1);
    child.kill("SIGKILL");
    await once(child, "close");
  });
});

test("the byte tokenizer of the tests reads what was written", async () => {
  const loader = await open();
  const bpe = await getTokenizer("bpe", { vocabSize: 300, specialTokens: ["<|endoftext|>"] });
  await bpe.train?.(loader.texts("train"));
  const [first] = await collect(loader.examples("train", request({ tokenizer: bpe })));
  expect(first && "inputIds" in first && bpe.decode(Array.from(first.inputIds))).toContain(
    words(0).slice(0, 10),
  );
  const [bytes] = await examplesOf(loader);
  expect(bytes && spell(bytes)).toBe(lines.join("¶").slice(0, 17));
});
