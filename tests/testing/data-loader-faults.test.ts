import type { DataLoader, Example, ExampleRequest, Split } from "../../src/data-loaders/index.ts";
import type { Factory } from "../../src/registry/index.ts";
import { InvalidOptionError } from "../../src/registry/index.ts";
import { Random } from "../../src/tensor/index.ts";
import { type DataLoaderConformanceOptions, dataLoaderConformance } from "../../src/testing/data-loader.ts";
import { memoryLoader } from "../../src/testing/trainer-samples.ts";
import { type Fault, testFaults } from "./faults.ts";

const texts = (count: number, from: number) => Array.from({ length: count }, (_, at) => `text ${from + at}`);
const data = (from = 0) => ({ train: texts(20, from), validation: texts(5, from + 100) });

/** Right: texts from memory. Takes `from`, which decides the texts. */
const factory =
  (make: (from: number) => DataLoader): Factory<DataLoader> =>
  ({ from = 0, ...unknown }: { from?: number }) => {
    for (const name of Object.keys(unknown))
      throw new InvalidOptionError(name, "unknown option; it takes `from`");
    if (!Number.isInteger(from)) throw new InvalidOptionError("from", "expected an integer");
    return make(from);
  };
const right = (from = 0) => memoryLoader(data(from));

/** The right one with something replaced. */
const wrong = (change: (base: DataLoader) => { readonly [Key in keyof DataLoader]?: unknown }) =>
  factory((from) => ({ ...right(from), ...change(right(from)) }) as DataLoader);

/** The right one with every example replaced. */
const wrongExamples = (change: (example: Example, request: ExampleRequest) => unknown) =>
  wrong((base) => ({
    async *examples(split: Split, request: ExampleRequest) {
      for await (const example of base.examples(split, request)) yield change(example, request);
    },
  }));

/** The right one, asked for something else. */
const wrongRequest = (change: (request: ExampleRequest) => Partial<ExampleRequest>) =>
  wrong((base) => ({
    examples: (split: Split, request: ExampleRequest) =>
      base.examples(split, { ...request, ...change(request) }),
  }));

const hasSplits = "it has splits, each with examples and texts";
const holds = "examples hold text, or ids and as many labels that the vocabulary has";
const goesOn = "`start` goes on as if it had not stopped";
const shuffles = "with `shuffle`, seed and epoch each change the order";
const printed = "fingerprint is a text that reading does not change";

let reads = 0;

const faults: Fault<DataLoader, DataLoaderConformanceOptions>[] = [
  {
    check: "a build fulfils the contract",
    fault: "no fingerprint",
    build: wrong(() => ({ fingerprint: undefined })),
    says: /data loader "under test".* expected a function `fingerprint`/,
  },
  {
    check: "an unknown option is refused",
    fault: "options that are not looked at",
    build: () => right(),
    says: /noSuchOption was accepted/,
  },
  {
    check: 'the options { from: "one" } are refused',
    fault: "an option that is not looked at",
    build: () => right(),
    says: /\{ from: "one" \} were accepted/,
  },
  {
    check: "two builds read the same data in the same order",
    fault: "data that chance decides",
    build: factory(() => memoryLoader({ train: texts(20, Math.random()) })),
    says: /Two builds .* differ: fingerprint is "/,
  },
  {
    check: hasSplits,
    fault: "a split that nobody knows",
    build: wrong(() => ({ splits: ["train", "dev"] })),
    says: /`splits` is \["train", "dev"\]; expected each of train, validation, test at most once/,
  },
  {
    check: hasSplits,
    fault: "no split",
    build: wrong(() => ({ splits: [] })),
    says: /`splits` is empty; expected at least one/,
  },
  {
    check: hasSplits,
    fault: "a split without data",
    build: wrong(() => ({ splits: ["train", "test"] })),
    says: /The split "test" has no example and no text; expected both/,
  },
  {
    check: hasSplits,
    fault: "no text to learn from",
    build: wrong(() => ({ async *texts() {} })),
    says: /The split "train" has examples and no text/,
  },
  {
    check: hasSplits,
    fault: "texts that are bytes",
    build: wrong(() => ({
      async *texts() {
        yield Buffer.from("a");
      },
    })),
    says: /texts\("train"\) yields Buffer .*; expected strings/,
  },
  {
    check: holds,
    fault: "plain strings",
    build: wrongExamples((example) => Object.values(example)[0]),
    says: /Example 0 of "train" is "text \d+"; expected \{ text \}/,
  },
  {
    check: holds,
    fault: "fewer labels than ids",
    build: wrongExamples(() => ({ inputIds: [1, 2, 3], labels: [2, 3] })),
    says: /Example 0 of "train" has 3 ids and 2 labels; expected as many labels as ids/,
  },
  {
    check: holds,
    fault: "labels outside the vocabulary",
    build: wrongExamples(() => ({ inputIds: [1, 2], labels: [-100, -1] })),
    says: /Example 0 of "train" has the label -1; expected -100 \(does not count\) or an id in \[0, 257\)/,
  },
  {
    check: holds,
    fault: "ids outside the vocabulary",
    build: wrongExamples(() => ({ inputIds: Int32Array.of(1, 257) })),
    says: /Example 0 of "train" has the id 257; expected integers in \[0, 257\)/,
  },
  {
    check: holds,
    fault: "too many ids",
    build: wrongExamples((_, { sequenceLength }) => ({ inputIds: new Int32Array(sequenceLength + 2) })),
    says: /has 34 ids for sequenceLength 32; expected at most 33/,
  },
  {
    check: holds,
    fault: "a label that labels() does not give",
    build: wrong(({ examples }) => ({
      labels: async () => ["good"],
      async *examples(split: Split, request: ExampleRequest) {
        for await (const example of examples(split, request)) yield { ...example, label: ["good", "bad"] };
      },
    })),
    says: /Example 0 of "train" has the label "bad"; expected one, or a list, of what labels\(\) gives: "good"/,
  },
  {
    check: holds,
    fault: "a name of a class twice",
    build: wrong(() => ({ labels: async () => ["a", "a"] })),
    says: /labels\(\) has "a" twice/,
  },
  {
    check: holds,
    fault: "a second text that is none",
    build: wrongExamples((example) => ({ ...example, textPair: 1 })),
    says: /Example 0 of "train" has 1 as `textPair`; expected a string/,
  },
  {
    check: holds,
    fault: "fewer numbers of documents than ids",
    build: wrongExamples(() => ({ inputIds: [1, 2, 3], documentIds: [1, 1] })),
    says: /Example 0 of "train" has 3 ids and 2 documentIds; expected as many as ids/,
  },
  {
    check: holds,
    fault: "documents that do not follow one another",
    build: wrongExamples(() => ({ inputIds: [1, 2, 3], documentIds: [1, 2, 1] })),
    says: /has the document 1 after 2; expected 1, 2, 3/,
  },
  {
    check: holds,
    fault: "documents that begin with 2",
    build: wrongExamples(() => ({ inputIds: [1, 2], documentIds: [2, 2] })),
    says: /begins with the document 2; expected 1/,
  },
  {
    check: "the same request gives the same examples, whatever was read before",
    fault: "one generator for all epochs",
    build: wrong((base) => {
      const random = new Random(1);
      return {
        examples: (split: Split, request: ExampleRequest) =>
          base.examples(split, { ...request, seed: request.shuffle ? random.integer(1000) : request.seed }),
      };
    }),
    says: /The same request for "train" must give the same examples, but they differ: \[0\]\.text is "text \d+" the first time, "text \d+" after/,
  },
  {
    check: "two readings at once do not disturb each other",
    fault: "one cursor for all readings",
    build: wrong((base) => {
      let at = 0;
      return {
        async *examples(split: Split, request: ExampleRequest) {
          const all: Example[] = [];
          for await (const example of base.examples(split, { ...request, start: 0 })) all.push(example);
          for (at = request.start; at < all.length; at++) yield all[at];
        },
      };
    }),
    says: /Requests that are read at the same time must give what they give alone, but differ/,
  },
  {
    check: goesOn,
    fault: "a start that is ignored",
    build: wrongRequest(() => ({ start: 0 })),
    says: /From start 1 on, "train" \(shuffle true, epoch 2\) must go on as from the beginning, but differs: \[0\]/,
  },
  {
    check: goesOn,
    fault: "a start that is one too far",
    build: wrongRequest(({ start }) => ({ start: start === 0 ? 0 : start + 1 })),
    says: /From start 1 on/,
  },
  {
    check: goesOn,
    fault: "what is left, mixed anew",
    build: wrongRequest(({ start, seed }) => ({ seed: seed + start })),
    says: /From start 1 on/,
  },
  {
    check: "without `shuffle`, seed and epoch change nothing",
    fault: "an order that is always mixed",
    build: wrongRequest(() => ({ shuffle: true })),
    says: /Without shuffle, "train" must have one order, but it differs: .* usually, .* with seed 2/,
  },
  {
    check: "held-out examples are not in train",
    fault: "a validation split that is trained on",
    build: factory((from) => memoryLoader({ train: texts(20, from), validation: texts(5, from + 17) })),
    says: /3 of the 5 examples of "validation" are in "train" too, for example \{"text":"text 17"\}; expected at most 0/,
  },
  {
    check: printed,
    fault: "a fingerprint that counts readings",
    build: wrong((base) => ({
      examples: (split: Split, request: ExampleRequest) => {
        reads++;
        return base.examples(split, request);
      },
      fingerprint: async () => `read ${reads} times`,
    })),
    says: /fingerprint\(\) gave "read \d+ times", and after reading "read \d+ times"; expected the same/,
  },
  {
    check: printed,
    fault: "a fingerprint that is a number",
    build: wrong(() => ({ fingerprint: async () => 7 })),
    says: /fingerprint\(\) gave 7; expected a text/,
  },
  {
    check: shuffles,
    fault: "epochs that are alike",
    build: wrongRequest(() => ({ epoch: 0 })),
    says: /With shuffle, "train" has the same order for every epoch from 2 to 9; expected epoch to change it/,
  },
  {
    check: shuffles,
    fault: "seeds that are alike",
    build: wrongRequest(() => ({ seed: 0 })),
    says: /has the same order for every seed from 2 to 9/,
  },
  {
    check: "other data has another fingerprint",
    fault: "a fingerprint of the size alone",
    build: wrong(() => ({ fingerprint: async () => "25 texts" })),
    says: /Other data has the fingerprint "25 texts" too; expected another/,
  },
];

testFaults(
  dataLoaderConformance,
  { build: factory(right), options: { otherOptions: { from: 500 }, invalidOptions: [{ from: "one" }] } },
  faults,
);
