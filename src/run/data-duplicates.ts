import { createHash } from "node:crypto";

/** Texts, or rows of ids, that occur more than once. */
export interface DuplicateSummary {
  /** Texts that were compared. */
  readonly of: number;
  /** Those that repeat an earlier one. */
  readonly repeats: number;
  /** Texts that occur with more than one label. */
  readonly conflicting: number;
  readonly mostFrequent?: { readonly text: string; readonly times: number };
}

/** Texts that occur in another split, too. */
export interface OverlapSummary {
  /** Texts that were compared. */
  readonly of: number;
  /** Those of the training split that they were compared with. */
  readonly against: number;
  readonly found: number;
  /** One that was found. */
  readonly example?: string;
}

interface Seen {
  times: number;
  readonly label: string;
  conflicts: boolean;
  /** The beginning of a text that occurs again. */
  shown?: string;
}

/** Characters of a text that are kept to show it. */
const SHOWN = 200;

/** Finds exact repetitions by digests of 128 bits: texts themselves are not kept. */
export class Duplicates {
  readonly #seen = new Map<string, Seen>();
  readonly #train: Duplicates | undefined;
  #of = 0;
  #found = 0;
  #example: string | undefined;

  /** @param train What was found in the training split, where this is another. */
  constructor(train?: Duplicates) {
    this.#train = train;
  }

  /**
   * @param content All that makes two equal.
   * @param text How it is shown; called for what is found alone.
   * @param label Its class or classes, where it has any.
   */
  add(content: string | ArrayLike<number>, text: () => string, label = ""): void {
    const digest = digestOf(content);
    this.#of++;
    if (this.#train?.has(digest)) {
      this.#found++;
      this.#example ??= text().slice(0, SHOWN);
    }
    const seen = this.#seen.get(digest);
    if (seen === undefined) {
      this.#seen.set(digest, { times: 1, label, conflicts: false });
      return;
    }
    seen.times++;
    seen.conflicts ||= seen.label !== label;
    seen.shown ??= text().slice(0, SHOWN);
  }

  has(digest: string): boolean {
    return this.#seen.has(digest);
  }

  get size(): number {
    return this.#of;
  }

  summary(): DuplicateSummary {
    const repeated = [...this.#seen.values()].filter(({ times }) => times > 1);
    const most = repeated.reduce<Seen | undefined>(
      (best, seen) => (best === undefined || seen.times > best.times ? seen : best),
      undefined,
    );
    return {
      of: this.#of,
      repeats: this.#of - this.#seen.size,
      conflicting: repeated.filter(({ conflicts }) => conflicts).length,
      ...(most && { mostFrequent: { text: most.shown ?? "", times: most.times } }),
    };
  }

  /** What is in the training split, too; undefined where this is that split, or that was not looked at. */
  overlap(): OverlapSummary | undefined {
    if (this.#train === undefined) return undefined;
    return {
      of: this.#of,
      against: this.#train.size,
      found: this.#found,
      ...(this.#example !== undefined && { example: this.#example }),
    };
  }
}

/** 128 bits of SHA-256. */
export function digestOf(content: string | ArrayLike<number>): string {
  const hash = createHash("sha256");
  if (typeof content === "string") hash.update(content);
  else hash.update(Int32Array.from(content));
  return hash.digest("base64").slice(0, 22);
}
