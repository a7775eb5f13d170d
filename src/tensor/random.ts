/**
 * Seeded random numbers: the only source of chance in the stack.
 *
 * Everything but `normal` is integer arithmetic or one exact division, and so gives the same numbers on every platform
 * and in every version of Node. Sources:
 * - {@link mix32}: MurmurHash3 x86_32 (Austin Appleby, public domain) over 32-bit little-endian words.
 * - {@link Random}: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS
 *   47(4), 2021), its four words of state seeded by four MurmurHash3 hashes of the seeds.
 *
 * Not for cryptography.
 */

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function mixWord(hash: number, word: number): number {
  const scrambled = Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotateLeft(hash ^ scrambled, 13), 5) + 0xe6546b64) | 0;
}

/** MurmurHash3 x86_32 of `words`; every safe integer is two words, low half first, so that large seeds differ too. */
function murmur3(key: number, numbers: readonly number[]): number {
  let hash = key | 0;
  for (const number of numbers) {
    if (!Number.isSafeInteger(number))
      throw new RangeError(`a seed is an integer of at most 53 bits, not ${number}`);
    hash = mixWord(hash, number | 0);
    hash = mixWord(hash, Math.floor(number / 2 ** 32) | 0);
  }
  hash ^= 8 * numbers.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Hashes integers into one unsigned 32-bit integer: a key for a stream of its own, for example
 * `mix32(seed, step, layer)` for dropout. The order of the numbers matters.
 *
 * @throws RangeError when one is not a safe integer.
 */
export function mix32(...numbers: number[]): number {
  return murmur3(0, numbers);
}

/**
 * A generator with a period of 2^128 − 1. Equal seeds give equal numbers; seeds that differ anywhere, or in their order,
 * give unrelated ones, so `new Random(seed, epoch)` needs no state from the epochs before.
 *
 * @example
 * const order = new Random(1337, epoch).permutation(windows);
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  /** Second number of a Box–Muller pair. */
  #spareNormal: number | undefined;

  /** @throws RangeError when a seed is not a safe integer. */
  constructor(...seeds: number[]) {
    this.#a = murmur3(1, seeds) | 0;
    this.#b = murmur3(2, seeds) | 0;
    this.#c = murmur3(3, seeds) | 0;
    this.#d = murmur3(4, seeds) | 0;
    // The one state that xoshiro cannot leave.
    if ((this.#a | this.#b | this.#c | this.#d) === 0) this.#a = 1;
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** A multiple of 2^−53 in [0, 1); takes two draws. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /**
   * A draw from the normal distribution with mean 0 and standard deviation 1 (Box and Muller, 1958).
   *
   * `Math.log`, `Math.cos` and `Math.sin` are not specified to the last bit: numbers are the same wherever the same
   * version of V8 runs, and may differ in the 16th digit elsewhere.
   */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform())); // 1 − u is in (0, 1]: no logarithm of 0
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /**
   * An integer in [0, below), each equally likely (draws that would favour the small ones are thrown away).
   *
   * @throws RangeError unless `below` is an integer in [1, 2^32].
   */
  integer(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32)
      throw new RangeError(
        `an integer below ${below} cannot be drawn: the bound is an integer from 1 to 2^32`,
      );
    const fair = 2 ** 32 - (2 ** 32 % below);
    let draw = this.uint32();
    while (draw >= fair) draw = this.uint32();
    return draw % below;
  }

  /** The integers of [0, n) in random order, shape (n): Fisher and Yates, Durstenfeld's form. */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    // Inside out: element i goes to a random place among the first i + 1, and what was there moves to the end.
    for (let i = 0; i < n; i++) {
      const j = this.integer(i + 1);
      order[i] = order[j] ?? 0;
      order[j] = i;
    }
    return order;
  }
}
