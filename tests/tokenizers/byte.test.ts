import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { describe, expect, test } from "vitest";
import { getTokenizer } from "../../src/tokenizers/index.ts";
import { anyText } from "./hostile-text.ts";

const END = "<|endoftext|>";

describe("byte", async () => {
  const tokenizer = await getTokenizer("byte");

  test("gives the UTF-8 bytes of a text, and the text back", () => {
    expect([...tokenizer.encode("é!")]).toEqual([0xc3, 0xa9, 0x21]);
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text);
        expect([...ids]).toEqual([...new TextEncoder().encode(text)]);
        expect(tokenizer.decode(ids)).toBe(text);
      }),
    );
  });

  test("has 256 bytes and one special token, which no text gives", () => {
    expect(tokenizer.vocabSize).toBe(257);
    expect(tokenizer.specialTokens).toEqual({ [END]: 256 });
    expect(tokenizer.eosTokenId).toBe(256);
    expect([...tokenizer.encode(END)]).not.toContain(256);
    expect(tokenizer.decode([104, 105, 256])).toBe(`hi${END}`);
    expect(tokenizer.byteLength?.(255)).toBe(1);
    expect(tokenizer.byteLength?.(256)).toBe(0);
  });

  test("turns a lone surrogate into U+FFFD", () => {
    expect(tokenizer.decode(tokenizer.encode("\uDC00"))).toBe("\uFFFD");
  });

  test("Hugging Face's Rust library gives the same ids from its file", async () => {
    const files = tokenizer.save?.() ?? {};
    const rust = RustTokenizer.fromString(files["tokenizer.json"] ?? "");
    await fc.assert(
      fc.asyncProperty(
        anyText.filter((text) => !text.includes(END)),
        async (text) => {
          expect([...tokenizer.encode(text)]).toEqual((await rust.encode(text)).getIds());
        },
      ),
      { numRuns: 500 },
    );
    expect(rust.tokenToId(END)).toBe(256);
  });

  test("loads its own file and no other", async () => {
    const files = tokenizer.save?.() ?? {};
    tokenizer.load?.(files);
    const json = JSON.parse(files["tokenizer.json"] ?? "");
    [json.model.vocab.a, json.model.vocab.b] = [json.model.vocab.b, json.model.vocab.a];
    expect(() => tokenizer.load?.({ "tokenizer.json": JSON.stringify(json) })).toThrow(
      /each byte must be its own/,
    );
  });

  test.each([257, -1, 1.5])("refuses the id %d", (id) => {
    expect(() => tokenizer.decode([id])).toThrow(`no id ${id}`);
  });
});
