// @ts-check
/** @import { DataLoader, Example, ExampleRequest, Split } from "codex-ml" */
import { createHash } from "node:crypto";
import { InvalidOptionError, Random } from "codex-ml";

const subjects = ["cat", "dog", "fox", "hen", "owl", "pig", "ram"];
const kinds = ["big", "old", "red", "shy", "wet"];
const verbs = ["sees", "meets", "follows", "wakes"];

/** Every sentence once: `the old cat sees a wet dog.` */
const sentences = kinds.flatMap((a) =>
  subjects.flatMap((b) =>
    verbs.flatMap((c) => kinds.flatMap((d) => subjects.map((e) => `the ${a} ${b} ${c} a ${d} ${e}.\n`))),
  ),
);

/** @implements {DataLoader} */
class ToyDataLoader {
  /** @type {readonly Split[]} */
  splits = ["train", "validation"];

  /** @param {number} count */
  constructor(count) {
    const chosen = Array.from(
      new Random(1).permutation(sentences.length).subarray(0, count),
      (i) => sentences[i] ?? "",
    );
    // A tenth is held out, and is the same whatever the run's seed.
    this.train = chosen.filter((_, i) => i % 10 !== 9);
    this.validation = chosen.filter((_, i) => i % 10 === 9);
  }

  /** @param {Split} split */
  async *texts(split) {
    yield* this.#sentences(split);
  }

  /** @param {Split} split @param {ExampleRequest} request @returns {AsyncGenerator<Example>} */
  async *examples(split, { seed, epoch, shuffle, start }) {
    const texts = this.#sentences(split);
    // Seed and epoch alone decide the order, so that any position is reached without the ones before it.
    const order = shuffle ? new Random(seed, epoch).permutation(texts.length) : texts.keys();
    for (const index of [...order].slice(start)) yield { text: texts[index] ?? "" };
  }

  async fingerprint() {
    return createHash("sha256")
      .update(JSON.stringify([this.train, this.validation]))
      .digest("hex");
  }

  /** @param {Split} split */
  #sentences(split) {
    if (split === "test")
      throw new RangeError("toy_data_loader has no test split, only train and validation");
    return this[split];
  }
}

/**
 * Made-up sentences, each different, the same ones every time; nine tenths for training, the rest for validation.
 *
 * @param {{ sentences?: number }} [options] `sentences`: how many, from 10 to 4900.
 */
export function build({ sentences: count = 1000, ...unknown } = {}) {
  for (const name of Object.keys(unknown))
    throw new InvalidOptionError(name, "unknown option; it takes `sentences`");
  if (!Number.isInteger(count) || count < 10 || count > sentences.length)
    throw new InvalidOptionError("sentences", `expected an integer from 10 to ${sentences.length}`);
  return new ToyDataLoader(count);
}
