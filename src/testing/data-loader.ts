import { type DataLoader, dataLoaders, type Example, type Split } from "../data-loaders/index.ts";
import { IGNORE_INDEX } from "../nn/index.ts";
import { describeValue, quote } from "../packages/index.ts";
import type { Factory } from "../registry/component.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { broken, type ConformanceCheck, check, once } from "./check.ts";
import {
  byteTokenizer,
  type DataLoaderSamples,
  observeDataLoader,
  ordersOf,
  type Place,
  Reading,
} from "./data-loader-observed.ts";
import { expectEqual } from "./difference.ts";
import { type ConformanceOptions, commonChecks, Subject } from "./subject.ts";

export interface DataLoaderConformanceOptions extends ConformanceOptions, DataLoaderSamples {
  /** What the loader is given to encode with, ready to encode. Default: the built-in `byte`, which a second process has too. */
  readonly tokenizer?: Tokenizer;
  /** Whether seed and epoch change the order. Default true. */
  readonly shuffles?: boolean;
  /** Examples of a held-out split that may be in `train` too, since the data itself repeats. Default 0. */
  readonly maxOverlap?: number;
  /** Options of other data, whose fingerprint must differ. */
  readonly otherOptions?: Readonly<Record<string, unknown>>;
}

/**
 * What every data loader must do. Give options of data with at least a handful of examples.
 *
 * @example for (const check of dataLoaderConformance(build, { options: { path: "corpus" } })) test(check.name, check.run);
 */
export function dataLoaderConformance(
  build: Factory<DataLoader>,
  options: DataLoaderConformanceOptions = {},
): ConformanceCheck[] {
  const { tokenizer, sequenceLength, maxExamples, shuffles = true, maxOverlap = 0, otherOptions } = options;
  const samples = { ...(sequenceLength && { sequenceLength }), ...(maxExamples && { maxExamples }) };
  const subject = new Subject(dataLoaders, build, options);
  const reading = once(async () => new Reading(tokenizer ?? (await byteTokenizer()), samples));
  const reads =
    (body: (loader: DataLoader, reading: Reading) => Promise<void>): (() => Promise<void>) =>
    async () =>
      body(await subject.build(), await reading());
  const checks = [
    ...commonChecks(subject, {
      claim: "read the same data in the same order",
      observe: (loader) => observeDataLoader(loader, samples, tokenizer),
      told: samples,
    }),
    check("it has splits, each with examples and texts", reads(checkSplits)),
    check("examples hold text, or ids and as many labels that the vocabulary has", reads(checkExamples)),
    check("the same request gives the same examples, whatever was read before", reads(checkHistory)),
    check("two readings at once do not disturb each other", reads(checkInterleaved)),
    check("`start` goes on as if it had not stopped", reads(checkStart)),
    check("without `shuffle`, seed and epoch change nothing", reads(checkUnshuffled)),
    check(
      "held-out examples are not in train",
      reads((...given) => checkDisjoint(...given, maxOverlap)),
    ),
    check("fingerprint is a text that reading does not change", reads(checkFingerprint)),
  ];
  if (shuffles)
    checks.push(check("with `shuffle`, seed and epoch each change the order", reads(checkShuffled)));
  if (otherOptions !== undefined)
    checks.push(
      check("other data has another fingerprint", async () => {
        const [one, other] = [await subject.build(), await subject.build(otherOptions)];
        if ((await one.fingerprint()) === (await other.fingerprint()))
          broken(
            `Other data has the fingerprint ${quote(await one.fingerprint())} too; expected another one.`,
          );
      }),
    );
  return checks;
}

const knownSplits: readonly string[] = ["train", "validation", "test"] satisfies Split[];

async function checkSplits(loader: DataLoader, reading: Reading): Promise<void> {
  const { splits } = loader;
  if (splits.length === 0) broken("`splits` is empty; expected at least one split.");
  for (const [index, split] of splits.entries()) {
    if (!knownSplits.includes(split) || splits.indexOf(split) !== index)
      broken(
        `\`splits\` is [${splits.map(quote).join(", ")}]; expected each of ${knownSplits.join(", ")} at most once.`,
      );
    const examples = await reading.examples(loader, split, { shuffle: false });
    let text = "";
    for await (const piece of loader.texts(split)) {
      if (typeof piece !== "string")
        broken(`texts("${split}") yields ${describeValue(piece)}; expected strings.`);
      text = piece;
      if (text !== "") break;
    }
    if (examples.length === 0 || text === "")
      broken(
        `The split "${split}" has ${examples.length === 0 ? "no example" : "examples"} and ${text === "" ? "no text" : "text"}; ` +
          "expected both. A split without data is left out of `splits`.",
      );
  }
}

async function checkExamples(loader: DataLoader, reading: Reading): Promise<void> {
  for (const split of loader.splits)
    for (const shuffle of ordersOf(split))
      for (const [index, example] of (await reading.examples(loader, split, { shuffle })).entries())
        checkExample(example, `Example ${index} of "${split}"`, reading);
}

function checkExample(example: Example, which: string, { tokenizer, sequenceLength }: Reading): void {
  const { text, inputIds, labels } = example as { text?: unknown; inputIds?: unknown; labels?: unknown };
  if (typeof text === "string") return;
  if (!isList(inputIds))
    broken(
      `${which} is ${describeValue(example)}; expected { text } with a string, or { inputIds } with a list of ids.`,
    );
  if (inputIds.length > sequenceLength + 1)
    broken(
      `${which} has ${inputIds.length} ids for sequenceLength ${sequenceLength}; expected at most ${sequenceLength + 1}.`,
    );
  const isId = (id: unknown) => Number.isInteger(id) && Number(id) >= 0 && Number(id) < tokenizer.vocabSize;
  const stray = Array.from(inputIds).find((id) => !isId(id));
  if (stray !== undefined)
    broken(`${which} has the id ${describeValue(stray)}; expected integers in [0, ${tokenizer.vocabSize}).`);
  if (labels === undefined) return;
  if (!isList(labels) || labels.length !== inputIds.length)
    broken(
      `${which} has ${inputIds.length} ids and ${isList(labels) ? labels.length : describeValue(labels)} labels; expected as many labels as ids.`,
    );
  const odd = Array.from(labels).find((label) => label !== IGNORE_INDEX && !isId(label));
  if (odd !== undefined)
    broken(
      `${which} has the label ${describeValue(odd)}; expected ${IGNORE_INDEX} (does not count) or an id in [0, ${tokenizer.vocabSize}).`,
    );
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

async function checkHistory(loader: DataLoader, reading: Reading): Promise<void> {
  for (const split of loader.splits)
    for (const shuffle of ordersOf(split)) {
      const first = await reading.contents(loader, split, { shuffle });
      await reading.contents(loader, split, { shuffle, seed: 2, epoch: 3, start: 1 });
      const again = await reading.contents(loader, split, { shuffle });
      expectEqual(
        `The same request for "${split}" must give the same examples, but they differ`,
        ["the first time", first],
        ["after other requests", again],
      );
    }
}

/** A trainer evaluates while its next batches are being read. */
async function checkInterleaved(loader: DataLoader, reading: Reading): Promise<void> {
  const requests = loader.splits.flatMap((split) => [
    { split, place: { shuffle: split === "train" } },
    { split, place: { shuffle: split === "train", epoch: 1, start: 1 } },
  ]);
  const alone: unknown[][] = [];
  for (const { split, place } of requests) alone.push(await reading.contents(loader, split, place));
  const together = await Promise.all(
    requests.map(({ split, place }) => reading.contents(loader, split, place)),
  );
  expectEqual(
    "Requests that are read at the same time must give what they give alone, but differ",
    ["alone", alone],
    ["together", together],
  );
}

async function checkStart(loader: DataLoader, reading: Reading): Promise<void> {
  for (const split of loader.splits)
    for (const place of ordersOf(split).map((shuffle) => ({ shuffle, epoch: 2 }))) {
      const whole = await reading.contents(loader, split, place);
      const { length } = whole;
      const starts = new Set(
        [0, 1, Math.floor(length / 3), length - 1, length].filter((start) => start >= 0),
      );
      for (const start of starts) {
        const rest = (await reading.contents(loader, split, { ...place, start })).slice(0, length - start);
        expectEqual(
          `From start ${start} on, "${split}" (${shown(place)}) must go on as from the beginning, but differs`,
          ["after the beginning", whole.slice(start)],
          ["from there", rest],
        );
      }
    }
}

async function checkUnshuffled(loader: DataLoader, reading: Reading): Promise<void> {
  for (const split of loader.splits) {
    const usual = await reading.contents(loader, split, { shuffle: false });
    for (const change of [{ seed: 2 }, { epoch: 1 }])
      expectEqual(
        `Without shuffle, "${split}" must have one order, but it differs`,
        ["usually", usual],
        [`with ${shown(change)}`, await reading.contents(loader, split, { shuffle: false, ...change })],
      );
  }
}

/** By chance alone, orders of few examples can be equal: any of several seeds or epochs that differs will do. */
async function checkShuffled(loader: DataLoader, reading: Reading): Promise<void> {
  const split = "train";
  if (!loader.splits.includes(split)) return; // No other is read in mixed order.
  const first = JSON.stringify(await reading.contents(loader, split));
  for (const key of ["seed", "epoch"] as const) {
    let differs = false;
    for (let value = 2; value < 10 && !differs; value++)
      differs = JSON.stringify(await reading.contents(loader, split, { [key]: value })) !== first;
    if (!differs)
      broken(
        `With shuffle, "${split}" has the same order for every ${key} from 2 to 9; expected ${key} to change it. ` +
          "A loader that never shuffles says so: `shuffles: false`.",
      );
  }
}

async function checkDisjoint(loader: DataLoader, reading: Reading, maxOverlap: number): Promise<void> {
  if (!loader.splits.includes("train")) return;
  const distinct = async (split: Split) =>
    new Set(
      (await reading.contents(loader, split, { shuffle: false })).map((content) => JSON.stringify(content)),
    );
  const train = await distinct("train");
  for (const split of loader.splits) {
    if (split === "train") continue;
    const held = [...(await distinct(split))];
    const shared = held.filter((content) => train.has(content));
    if (shared.length > maxOverlap)
      broken(
        `${shared.length} of the ${held.length} examples of "${split}" are in "train" too, for example ${shared[0]?.slice(0, 120)}; ` +
          `expected at most ${maxOverlap}. Where the data itself repeats, a larger \`sequenceLength\` or \`maxOverlap\` allows for it.`,
      );
  }
}

async function checkFingerprint(loader: DataLoader, reading: Reading): Promise<void> {
  const before: unknown = await loader.fingerprint();
  if (typeof before !== "string" || before === "")
    broken(`fingerprint() gave ${describeValue(before)}; expected a text that is not empty.`);
  for (const split of loader.splits) await reading.examples(loader, split, { shuffle: split === "train" });
  const after = await loader.fingerprint();
  if (after !== before)
    broken(`fingerprint() gave ${quote(before)}, and after reading ${quote(after)}; expected the same.`);
}

function shown(place: Partial<Place>): string {
  return Object.entries(place)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}
