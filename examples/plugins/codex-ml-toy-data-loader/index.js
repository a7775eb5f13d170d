// @ts-check
/** @import { DataLoader, Example, ExampleRequest, Split } from "codex-ml" */
import { createHash } from "node:crypto";
import { InvalidOptionError, Random } from "codex-ml";

const kinds = ["big", "old", "red", "shy", "wet"];
const animals = ["cat", "dog", "fox", "hen", "owl", "pig", "ram"];
const verbs = ["sees", "meets", "follows", "wakes"];

/** Every sentence once, as `the old cat sees the wet dog.` */
const sentences = kinds
  .flatMap((kind) => animals.map((animal) => `the ${kind} ${animal}`))
  .flatMap((one, _, all) => verbs.flatMap((verb) => all.map((other) => `${one} ${verb} ${other}.\n`)));

/** @implements {DataLoader} */
class ToyDataLoader {
  splits = /** @type {const} */ (["train", "validation"]);

  /** @param {number} count */
  constructor(count) {
    // The same ones and the same cut for every seed of a run: what is held out must stay held out.
    const chosen = Array.from(
      new Random(1).permutation(sentences.length).subarray(0, count),
      (i) => sentences[i],
    );
    const cut = Math.floor(count * 0.9);
    /** @type {Record<Split, string[]>} */
    this.sentences = { train: chosen.slice(0, cut), validation: chosen.slice(cut), test: [] };
  }

  /** @param {Split} split */
  async *texts(split) {
    yield* this.sentences[split];
  }

  /** @param {Split} split @param {ExampleRequest} request @returns {AsyncGenerator<Example>} */
  async *examples(split, { seed, epoch, shuffle, start }) {
    const texts = this.sentences[split];
    // Seed and epoch alone decide the order, so that any position is reached without the ones before it.
    const order = shuffle
      ? new Random(seed, epoch).permutation(texts.length)
      : Uint32Array.from(texts.keys());
    for (const index of order.subarray(start)) yield { text: texts[index] };
  }

  async fingerprint() {
    return createHash("sha256").update(JSON.stringify(this.sentences)).digest("hex");
  }
}

/**
 * Made-up sentences, each different, the same ones every time; the last tenth is for validation.
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
