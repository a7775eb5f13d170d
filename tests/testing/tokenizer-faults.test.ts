import { tokenizerConformance } from "../../src/testing/tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizers/index.ts";
import { type Fault, strict, testFaults } from "./faults.ts";

/** Right: one id per byte, in the order in which bytes first occur in the corpus; 256 ends a text. */
function right(): Tokenizer {
  let bytes = [...Array(256).keys()];
  const become = (order: readonly number[]) => {
    bytes = [...new Set([...order, ...Array(256).keys()])];
  };
  return {
    vocabSize: 257,
    specialTokens: { "<eos>": 256 },
    eosTokenId: 256,
    encode: (text) => Array.from(Buffer.from(text), (byte) => bytes.indexOf(byte)),
    decode: (ids) => Buffer.from(Array.from(ids, (id) => bytes[id] ?? 0x2e)).toString(),
    byteLength: (id) => (id === 256 ? 0 : 1),
    train: async (texts) => {
      const seen: number[] = [];
      for await (const text of texts) seen.push(...Buffer.from(text));
      become(seen);
    },
    save: () => ({ "bytes.json": JSON.stringify(bytes) }),
    load: (files) => become(JSON.parse(files["bytes.json"] ?? "") as number[]),
  };
}

/** The right one with something replaced. */
const wrong = (change: (base: Tokenizer) => { readonly [Key in keyof Tokenizer]?: unknown }) =>
  strict(() => {
    const base = right();
    return { ...base, ...change(base) } as Tokenizer;
  });

const fits = "vocabSize, specialTokens and eosTokenId fit together";
const inRange = "encode gives integers in [0, vocabSize) for any text";
const takesAll = "decode takes every id, and ids from any iterable";
const addsUp = "byteLength, if there, adds up to the UTF-8 bytes of the text";
const saves = "what was saved, if it can be, loads into equal ids";

const faults: Fault<Tokenizer, { lossless?: boolean; invalidOptions?: { size: number }[] }>[] = [
  {
    check: "a build fulfils the contract",
    fault: "no decode",
    build: wrong(() => ({ decode: undefined })),
    says: /tokenizer "under test".* expected a function `decode\(ids\)`/,
  },
  {
    check: "a build fulfils the contract",
    fault: "what is no factory",
    build: right() as never,
    says: /is no factory/,
  },
  {
    check: "an unknown option is refused",
    fault: "options that are not looked at",
    build: () => right(),
    says: /noSuchOption was accepted, so a misspelt option would be ignored/,
  },
  {
    check: "the options { size: 0 } are refused",
    fault: "a value that is not looked at",
    build: () => right(),
    options: { invalidOptions: [{ size: 0 }] },
    says: /\{ size: 0 \} were accepted\. Expected the factory to refuse them/,
  },
  {
    check: "two builds learn and encode alike",
    fault: "ids that chance decides",
    build: wrong((base) => {
      const salt = Math.floor(Math.random() * 2 ** 30);
      return { encode: (text: string) => [salt, ...base.encode(text)] };
    }),
    says: /Two builds .* differ: ids\..*\[0\] is \d+ in the first, \d+ in the second/,
  },
  {
    check: fits,
    fault: "an eosTokenId outside the vocabulary",
    build: wrong(() => ({ eosTokenId: 257 })),
    says: /eosTokenId is 257; expected an id in \[0, 257\)/,
  },
  {
    check: fits,
    fault: "a special token outside the vocabulary",
    build: wrong(() => ({ specialTokens: { "<eos>": 1.5 } })),
    says: /specialTokens\["<eos>"\] is 1\.5; expected an id/,
  },
  {
    check: fits,
    fault: "two special tokens of one id",
    build: wrong(() => ({ specialTokens: { "<eos>": 256, "<pad>": 256 } })),
    says: /"<eos>" and "<pad>" share the id 256/,
  },
  {
    check: fits,
    fault: "an empty vocabulary",
    build: wrong(() => ({ vocabSize: 0 })),
    says: /vocabSize is 0; expected at least 1/,
  },
  {
    check: inRange,
    fault: "ids that are code points",
    build: wrong(() => ({ encode: (text: string) => Array.from(text, (letter) => letter.codePointAt(0)) })),
    says: /encode\(.*\)\[\d+\] is \d{3,}; expected an integer in \[0, 257\)/,
  },
  {
    check: inRange,
    fault: "ids without a length",
    build: wrong((base) => ({ encode: (text: string) => new Set(base.encode(text)) })),
    says: /has the length undefined and yields \d+ ids; expected as many/,
  },
  {
    check: inRange,
    fault: "an error at lone surrogates",
    build: wrong((base) => ({
      encode: (text: string) => {
        encodeURIComponent(text);
        return base.encode(text);
      },
    })),
    says: /encode\("\\ud800"\) threw URIError.*expected a result/,
  },
  {
    check: "text comes back exactly",
    fault: "Unicode normalisation",
    build: wrong((base) => ({ encode: (text: string) => base.encode(text.normalize("NFC")) })),
    says: /decode\(encode\(text\)\) is "\\u\{e9\}.*expected the text, "e\\u\{301\}.*lossless: false/,
  },
  {
    check: "what is lost is lost once: decoded text comes back exactly",
    fault: "a space put before each text",
    build: wrong((base) => ({ decode: (ids: Iterable<number>) => ` ${base.decode(ids)}` })),
    options: { lossless: false },
    says: /"" decodes to " ", and that to " {2}"; expected " " again/,
  },
  {
    check: "text never encodes to a special token",
    fault: "special tokens that are found in text",
    build: wrong((base) => ({
      encode: (text: string) =>
        text.split("<eos>").flatMap((part, at) => [...(at === 0 ? [] : [256]), ...base.encode(part)]),
    })),
    says: /encode\("<eos>"\) has the id 256 of the special token "<eos>"\. Expected ordinary ids/,
  },
  {
    check: takesAll,
    fault: "an error at bytes that are no whole character",
    build: wrong(() => ({
      decode: (ids: Iterable<number>) =>
        new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(ids, (id) => Math.min(id, 255))),
      train: undefined,
      save: undefined,
      load: undefined,
    })),
    says: /decode\(\[128\]\) threw TypeError.*expected a result/,
  },
  {
    check: takesAll,
    fault: "text that is no string",
    build: wrong(() => ({ decode: (ids: Iterable<number>) => Buffer.from(Array.from(ids)) })),
    says: /decode\(\[0\]\) gave Buffer .*; expected a string/,
  },
  {
    check: takesAll,
    fault: "ids that must be an array",
    build: wrong((base) => ({
      decode: (ids: readonly number[]) => base.decode(ids.length === undefined ? [] : ids),
    })),
    says: /decode gave "" for an iterator over encode\(" "\); expected " "/,
  },
  {
    check: addsUp,
    fault: "bytes that are counted twice",
    build: wrong(() => ({ byteLength: (id: number) => (id === 256 ? 0 : 2) })),
    says: /byteLengths of encode\(" "\) add up to 2; expected 1/,
  },
  {
    check: addsUp,
    fault: "special tokens with bytes",
    build: wrong(() => ({ byteLength: () => 1 })),
    says: /byteLength\(256\) is 1; expected 0, since "<eos>" is a special token/,
  },
  {
    check: addsUp,
    fault: "half bytes",
    build: wrong(() => ({ byteLength: () => 0.5 })),
    says: /byteLength\(\d+\) is 0\.5; expected a number of bytes/,
  },
  {
    check: "a text has the same ids again, whatever came between",
    fault: "ids that depend on the text before",
    build: wrong((base) => {
      let last = 0;
      return {
        encode: (text: string) => {
          const ids = [last, ...base.encode(text)];
          last = text.length % 100;
          return ids;
        },
      };
    }),
    says: /encode\(""\) must always give the same ids, but differs: \[0\] is 0 at first, \d+ later/,
  },
  {
    check: saves,
    fault: "loading that restores nothing",
    build: wrong(() => ({ load: () => {} })),
    says: /loads what was saved must be equal, but differs: ids\.".*in what was saved, .*in what was loaded/,
  },
  {
    check: saves,
    fault: "nothing that was saved",
    build: wrong(() => ({ save: () => ({}) })),
    says: /save\(\) gave no file/,
  },
  {
    check: saves,
    fault: "files that lead out of the folder",
    build: wrong(() => ({ save: () => ({ "../bytes.json": "" }) })),
    says: /a file called "\.\.\/bytes\.json"; expected a plain name/,
  },
  {
    check: saves,
    fault: "files that are no text",
    build: wrong(() => ({ save: () => ({ "bytes.bin": new Uint8Array(2) }) })),
    says: /gave Uint8Array .*for "bytes\.bin"; expected a string/,
  },
];

testFaults(
  tokenizerConformance,
  { build: strict(right), options: { invalidOptions: [{ size: 0 }] } },
  faults.map((fault) => ({ options: {}, ...fault })),
);
