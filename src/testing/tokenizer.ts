import { describeValue, quote } from "../packages/index.ts";
import type { Factory } from "../registry/component.ts";
import { type Tokenizer, tokenizers } from "../tokenizers/index.ts";
import { broken, type ConformanceCheck, calling, check, once } from "./check.ts";
import { expectEqual } from "./difference.ts";
import { loneSurrogates, shown } from "./hostile-text.ts";
import { type ConformanceOptions, commonChecks, Subject } from "./subject.ts";
import {
  decoded,
  encoded,
  observeTokenizer,
  type TokenizerSamples,
  textsOf,
  trained,
  vocabularyOf,
} from "./tokenizer-observed.ts";

export interface TokenizerConformanceOptions extends ConformanceOptions, TokenizerSamples {
  /**
   * Whether `decode(encode(text)) === text` for every text without lone surrogates. Default true; one that says false
   * must lose what it loses the first time: the decoded text comes back exactly.
   */
  readonly lossless?: boolean;
}

/** Ids that `decode` and `byteLength` are asked about one by one. */
const MOST_IDS = 4096;

/**
 * What every tokenizer must do. One that can be trained learns from `corpus` first.
 *
 * @example for (const check of tokenizerConformance(build, { options: { alphabet: "ab" } })) test(check.name, check.run);
 */
export function tokenizerConformance(
  build: Factory<Tokenizer>,
  options: TokenizerConformanceOptions = {},
): ConformanceCheck[] {
  const { lossless = true, corpus, texts } = options;
  const samples = { ...(corpus && { corpus }), ...(texts && { texts }) };
  const subject = new Subject(tokenizers, build, options);
  const ready = once(async () => trained(await subject.build(), samples));
  const withTexts = (body: (tokenizer: Tokenizer, text: string) => void, more: readonly string[] = []) => {
    return async () => {
      const tokenizer = await ready();
      const special = Object.keys(tokenizer.specialTokens ?? {});
      for (const text of [...textsOf(samples), ...special, ...more]) body(tokenizer, text);
    };
  };
  return [
    ...commonChecks(subject, {
      claim: "learn and encode alike",
      observe: (tokenizer) => observeTokenizer(tokenizer, samples),
      told: samples,
    }),
    check("vocabSize, specialTokens and eosTokenId fit together", async () => checkVocabulary(await ready())),
    check("encode gives integers in [0, vocabSize) for any text", withTexts(checkIds, loneSurrogates)),
    lossless
      ? check("text comes back exactly", withTexts(checkRoundTrip))
      : check("what is lost is lost once: decoded text comes back exactly", withTexts(checkIdempotence)),
    check("text never encodes to a special token", async () => checkSpecialTokens(await ready())),
    check("decode takes every id, and ids from any iterable", async () =>
      checkDecode(await ready(), samples),
    ),
    check("byteLength, if there, adds up to the UTF-8 bytes of the text", async () => {
      await withTexts(checkByteLength)();
      checkSpecialBytes(await ready());
    }),
    check("a text has the same ids again, whatever came between", async () =>
      checkMemory(await ready(), samples),
    ),
    check("what was saved, if it can be, loads into equal ids", async () =>
      checkSaved(await ready(), await subject.build(), samples),
    ),
  ];
}

function isId(value: unknown, vocabSize: number): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < vocabSize;
}

function checkVocabulary({ vocabSize, specialTokens = {}, eosTokenId }: Tokenizer): void {
  if (vocabSize < 1) broken(`vocabSize is ${vocabSize}; expected at least 1 id once it is trained.`);
  const holders = new Map<number, string>();
  for (const [token, id] of Object.entries(specialTokens)) {
    if (!isId(id, vocabSize))
      broken(`specialTokens[${quote(token)}] is ${describeValue(id)}; expected an id in [0, ${vocabSize}).`);
    const rival = holders.get(id);
    if (rival !== undefined)
      broken(`The special tokens ${quote(rival)} and ${quote(token)} share the id ${id}; expected one each.`);
    holders.set(id, token);
  }
  if (eosTokenId !== undefined && !isId(eosTokenId, vocabSize))
    broken(`eosTokenId is ${describeValue(eosTokenId)}; expected an id in [0, ${vocabSize}), or undefined.`);
}

function checkIds(tokenizer: Tokenizer, text: string): void {
  const call = `encode(${shown(text)})`;
  const given = calling(call, () => tokenizer.encode(text));
  const ids = calling(`Iterating what ${call} gave`, () => [...given]);
  if (given.length !== ids.length)
    broken(`${call} has the length ${given.length} and yields ${ids.length} ids; expected as many.`);
  for (const [at, id] of ids.entries()) {
    if (!isId(id, tokenizer.vocabSize))
      broken(`${call}[${at}] is ${describeValue(id)}; expected an integer in [0, ${tokenizer.vocabSize}).`);
    if (given[at] !== id)
      broken(`${call}[${at}] is ${describeValue(given[at])}, but iterating yields ${id} there.`);
  }
}

function checkRoundTrip(tokenizer: Tokenizer, text: string): void {
  const back = decoded(tokenizer, encoded(tokenizer, text), `encode(${shown(text)})`);
  if (back !== text)
    broken(
      `decode(encode(text)) is ${shown(back)}; expected the text, ${shown(text)}. A tokenizer that is meant to lose ` +
        "text says so: `lossless: false`.",
    );
}

function checkIdempotence(tokenizer: Tokenizer, text: string): void {
  const first = decoded(tokenizer, encoded(tokenizer, text), `encode(${shown(text)})`);
  const second = decoded(tokenizer, encoded(tokenizer, first), `encode(${shown(first)})`);
  if (second !== first)
    broken(
      `${shown(text)} decodes to ${shown(first)}, and that to ${shown(second)}; expected ${shown(first)} again: what ` +
        "one round trip gives, the next must leave as it is.",
    );
}

function checkSpecialTokens(tokenizer: Tokenizer): void {
  const specials = new Map(Object.entries(tokenizer.specialTokens ?? {}).map(([token, id]) => [id, token]));
  for (const token of specials.values())
    for (const text of [token, `a${token}b`, ` ${token}\n${token}`])
      for (const id of encoded(tokenizer, text)) {
        const special = specials.get(id);
        if (special !== undefined)
          broken(
            `encode(${shown(text)}) has the id ${id} of the special token ${quote(special)}. Expected ordinary ids: ` +
              "text of a document must not be able to end it.",
          );
      }
}

function checkDecode(tokenizer: Tokenizer, samples: TokenizerSamples): void {
  for (let id = 0; id < Math.min(tokenizer.vocabSize, MOST_IDS); id++) {
    const text: unknown = decoded(tokenizer, [id], `[${id}]`);
    if (typeof text !== "string") broken(`decode([${id}]) gave ${describeValue(text)}; expected a string.`);
  }
  for (const text of textsOf(samples)) {
    const ids = encoded(tokenizer, text);
    const what = `encode(${shown(text)})`;
    const fromArray = decoded(tokenizer, ids, what);
    const fromGenerator = decoded(tokenizer, ids.values(), `an iterator over ${what}`);
    if (fromGenerator !== fromArray)
      broken(
        `decode gave ${shown(fromGenerator)} for an iterator over ${what}; expected ${shown(fromArray)}, as for an array.`,
      );
  }
}

function byteLengthOf(tokenizer: Tokenizer, id: number): number {
  const bytes = calling(`byteLength(${id})`, () => tokenizer.byteLength?.(id) ?? 0);
  if (!Number.isInteger(bytes) || bytes < 0)
    broken(`byteLength(${id}) is ${describeValue(bytes)}; expected a number of bytes.`);
  return bytes;
}

function checkByteLength(tokenizer: Tokenizer, text: string): void {
  if (tokenizer.byteLength === undefined) return;
  const ids = encoded(tokenizer, text);
  const expected = Buffer.byteLength(text);
  const sum = ids.reduce((bytes, id) => bytes + byteLengthOf(tokenizer, id), 0);
  if (sum !== expected)
    broken(
      `The byteLengths of encode(${shown(text)}) add up to ${sum}; expected ${expected}, its UTF-8 bytes. A tokenizer that loses text has no byteLength.`,
    );
}

function checkSpecialBytes(tokenizer: Tokenizer): void {
  if (tokenizer.byteLength === undefined) return;
  for (const [token, id] of Object.entries(tokenizer.specialTokens ?? {}))
    if (byteLengthOf(tokenizer, id) !== 0)
      broken(
        `byteLength(${id}) is ${byteLengthOf(tokenizer, id)}; expected 0, since ${quote(token)} is a special token.`,
      );
}

function checkMemory(tokenizer: Tokenizer, samples: TokenizerSamples): void {
  const texts = textsOf(samples);
  const before = texts.map((text) => encoded(tokenizer, text));
  for (const [index, text] of texts.entries()) {
    decoded(tokenizer, before[index] ?? [], `encode(${shown(text)})`);
    expectEqual(
      `encode(${shown(text)}) must always give the same ids, but differs`,
      ["at first", before[index]],
      ["later", encoded(tokenizer, text)],
    );
  }
}

function checkSaved(tokenizer: Tokenizer, fresh: Tokenizer, samples: TokenizerSamples): void {
  if (tokenizer.save === undefined) return;
  const files = calling("save()", () => tokenizer.save?.() ?? {});
  if (Object.keys(files).length === 0) broken("save() gave no file; expected at least one.");
  for (const [name, content] of Object.entries(files)) {
    if (!/^[\w][\w.-]*$/.test(name))
      broken(`save() gave a file called ${quote(name)}; expected a plain name such as "tokenizer.json".`);
    if (typeof content !== "string")
      broken(`save() gave ${describeValue(content)} for ${quote(name)}; expected a string.`);
  }
  calling("load(what save gave)", () => fresh.load?.(files));
  const observe = (from: Tokenizer) => ({
    ...vocabularyOf(from),
    ids: Object.fromEntries(textsOf(samples).map((text) => [shown(text), encoded(from, text)])),
  });
  expectEqual(
    "A new build that loads what was saved must be equal, but differs",
    ["in what was saved", observe(tokenizer)],
    ["in what was loaded", observe(fresh)],
  );
}
