import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { afterAll, describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer, tokenizerRegistry } from "../../src/tokenizers/index.ts";
import { corpus, settledText, stream } from "./hostile-text.ts";
import { longSettledText } from "./older-unicode.ts";

const directory = mkdtempSync(join(tmpdir(), "codex-ml-hf-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let folders = 0;
function written(files: Readonly<Record<string, string>>): string {
  const folder = join(directory, `${folders++}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function trained(name: string, options: object = {}): Promise<Tokenizer> {
  const tokenizer = await getTokenizer<string>(name, options);
  await tokenizer.train?.(stream(corpus));
  return tokenizer;
}

/** The `tokenizer.json` of a trained bpe, changed. */
async function changedBpe(change: (json: Record<string, unknown>) => void): Promise<string> {
  const json = JSON.parse((await trained("bpe", { vocabSize: 400 })).save?.()["tokenizer.json"] ?? "");
  change(json);
  return JSON.stringify(json);
}

describe("hf", () => {
  test.each(["byte", "char", "whitespace", "bpe", "wordpiece"])(
    "is what %s saved, from a file, a folder or a run directory",
    async (name) => {
      const original = await trained(name);
      const files = original.save?.() ?? {};
      const run = join(directory, `run-${name}`);
      mkdirSync(join(run, "tokenizer"), { recursive: true });
      for (const [file, text] of Object.entries(files)) writeFileSync(join(run, "tokenizer", file), text);
      for (const path of [run, join(run, "tokenizer"), join(run, "tokenizer", "tokenizer.json")]) {
        const opened = await getTokenizer("hf", { path });
        expect([...opened.encode(corpus)]).toEqual([...original.encode(corpus)]);
        expect(opened.decode(opened.encode(corpus))).toBe(original.decode(original.encode(corpus)));
        expect(opened.vocabSize).toBe(original.vocabSize);
        expect(opened.specialTokens).toEqual(original.specialTokens);
        for (const id of ["eos", "pad", "cls", "sep", "mask"] as const)
          expect(opened[`${id}TokenId`]).toBe(original[`${id}TokenId`]);
        expect(opened.byteLength?.(3)).toBe(original.byteLength?.(3));
        expect(opened.save?.()).toEqual(files);
      }
    },
  );

  const metaspace = { replacement: "▁", prepend_scheme: "always", split: true };
  const strangers: readonly [string, (json: Record<string, unknown>) => void][] = [
    [
      "a prefix space",
      (json) => {
        (json.pre_tokenizer as Record<string, unknown>).add_prefix_space = true;
      },
    ],
    [
      "digits by themselves and a normaliser",
      (json) => {
        json.normalizer = { type: "NFC" };
        json.pre_tokenizer = {
          type: "Sequence",
          pretokenizers: [{ type: "Digits", individual_digits: true }, json.pre_tokenizer],
        };
      },
    ],
    [
      "metaspace words and bytes for unknown characters",
      (json) => {
        json.pre_tokenizer = { type: "Metaspace", ...metaspace };
        json.decoder = {
          type: "Sequence",
          decoders: [{ type: "ByteFallback" }, { type: "Metaspace", ...metaspace }],
        };
        const model = json.model as Record<string, unknown>;
        const bytes = Array.from(
          { length: 256 },
          (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
        );
        const letters = [..."▁abcdefghijklmnopqrstuvwxyz"];
        const tokens = ["<unk>", ...bytes, ...letters, "th", "▁th", "st"];
        model.vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
        model.merges = ["t h", "▁ th", "s t"];
        model.byte_fallback = true;
        model.unk_token = "<unk>";
        json.added_tokens = [];
      },
    ],
  ];
  test.each(strangers)("gives the ids and text of Hugging Face's Rust library for %s", async (_, change) => {
    const json = await changedBpe(change);
    const rust = RustTokenizer.fromString(json);
    const opened = await getTokenizer("hf", { path: written({ "tokenizer.json": json }) });
    expect(opened.byteLength).toBeUndefined(); // none of ours
    const texts = fc
      .oneof(settledText, longSettledText)
      .filter((text) => !/<\|endoftext|<unk|<0x/.test(text));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const ids = [...opened.encode(text)];
        expect(ids).toEqual((await rust.encode(text, null, { addSpecialTokens: false })).getIds());
        expect(opened.decode(ids)).toBe(await rust.decode(ids, false));
      }),
      { numRuns: 300 },
    );
  });

  test("never finds special tokens in text, and does not add any", async () => {
    const json = await changedBpe((one) => {
      (one.pre_tokenizer as Record<string, unknown>).add_prefix_space = true;
      one.added_tokens = ["<|endoftext|>", "[MASK]", "<pad>"].map((content, at) => ({
        id: 399 + at,
        content,
        special: true,
      }));
    });
    const path = written({
      "tokenizer.json": json,
      "tokenizer_config.json": JSON.stringify({ eos_token: { content: "[MASK]" }, pad_token: "<pad>" }),
    });
    const opened = await getTokenizer("hf", { path });
    expect(opened.specialTokens).toEqual({ "<|endoftext|>": 399, "[MASK]": 400, "<pad>": 401 });
    expect(opened).toMatchObject({ vocabSize: 402, eosTokenId: 400, padTokenId: 401, maskTokenId: 400 });
    expect(Math.max(...opened.encode("a <|endoftext|>[MASK]"))).toBeLessThan(399);
    expect(opened.decode([400, ...opened.encode("it was"), 399])).toBe("[MASK] it was<|endoftext|>");
    expect(() => opened.decode([402])).toThrow(/no id 402/);
  });

  test("says what is missing or wrong, at its option", async () => {
    const at = (path: string) => getTokenizer("hf", { path });
    await expect(at(join(directory, "nowhere"))).rejects.toThrow(/path.*no tokenizer\.json at .*nowhere/s);
    await expect(at(directory)).rejects.toThrow(/no tokenizer\.json/);
    await expect(at(written({ "tokenizer.json": "{" }))).rejects.toThrow(/path.*not JSON/s);
    await expect(at(written({ "tokenizer.json": '{"model":{"type":"Rope"}}' }))).rejects.toThrow(
      /path.*"Rope" is a kind of model that/s,
    );
  });

  test("is restored from a run's own copy, where the original is gone", async () => {
    const files = (await trained("bpe", { vocabSize: 300 })).save?.() ?? {};
    const context = { directory, restoring: true };
    const restored = await tokenizerRegistry.create("hf", { path: "gone" }, context);
    expect(() => restored.encode("a")).toThrow(/has not been trained/);
    restored.load?.(files);
    expect(restored.decode(restored.encode("it was"))).toBe("it was");
  });
});
