/** The longest run of UTF-8 bytes that the table is asked about as a whole. */
const LONGEST = 6;

/**
 * Where graphemes may be more than one character: line ends of two, and what is not ASCII, with the characters beside it. Everything
 * else is ASCII by itself, and needs no segmenter, which is slow.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is meant, controls included.
const clustered = /\r\n|(?:[\0-\x7f]?[^\0-\x7f]+)+[\0-\f\x0e-\x7f]?/g;

/**
 * SentencePiece's table of characters and what becomes of them: a double-array trie (Aoe 1989; the layout of darts-clone) over
 * UTF-8, then the texts that its leaves point at, each ended by a zero. Source: `precompiled_charsmap` in sentencepiece's
 * `normalizer.cc`, and the crate spm_precompiled, whose way of looking things up is followed.
 */
export class PrecompiledNormalizer {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  /** What becomes of each ASCII character. */
  readonly #ascii: readonly string[];
  readonly #graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

  /** @throws RangeError when the bytes are no such table. */
  constructor(charsmap: Uint8Array) {
    const view = new DataView(charsmap.buffer, charsmap.byteOffset, charsmap.byteLength);
    const size = charsmap.length < 4 ? -1 : view.getUint32(0, true);
    if (size < 0 || size % 4 !== 0 || size > charsmap.length - 4)
      throw new RangeError("it is not SentencePiece's table of characters");
    this.#units = Uint32Array.from({ length: size / 4 }, (_, unit) => view.getUint32(4 + 4 * unit, true));
    this.#texts = charsmap.subarray(4 + size);
    this.#ascii = Array.from(
      { length: 128 },
      (_, point) => this.#replacement(Uint8Array.of(point)) ?? String.fromCharCode(point),
    );
  }

  normalize(text: string): string {
    let normal = "";
    let before = 0;
    for (const { 0: cluster, index } of text.matchAll(clustered)) {
      for (let at = before; at < index; at++) normal += this.#ascii[text.charCodeAt(at)] ?? "";
      normal += this.#byGraphemes(cluster);
      before = index + cluster.length;
    }
    for (let at = before; at < text.length; at++) normal += this.#ascii[text.charCodeAt(at)] ?? "";
    return normal;
  }

  #byGraphemes(text: string): string {
    let normal = "";
    for (const { segment } of this.#graphemes.segment(text)) {
      const bytes = Buffer.from(segment, "utf8");
      const whole = bytes.length < LONGEST ? this.#replacement(bytes) : undefined;
      if (whole !== undefined) normal += whole;
      else
        for (const character of segment)
          normal += this.#replacement(Buffer.from(character, "utf8")) ?? character;
    }
    return normal;
  }

  /** What stands for the shortest beginning of `bytes` that the table has: for all of them, as in the Rust library. */
  #replacement(bytes: Uint8Array): string | undefined {
    const units = this.#units;
    let node = offset(units[0] ?? 0);
    for (const byte of bytes) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = units[node] ?? 0;
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
      node ^= offset(unit);
      if (((unit >>> 8) & 1) === 1) return this.#textAt((units[node] ?? 0) & 0x7fffffff);
    }
    return undefined;
  }

  #textAt(start: number): string {
    const end = this.#texts.indexOf(0, start);
    return Buffer.from(this.#texts.subarray(start, end < 0 ? undefined : end)).toString("utf8");
  }
}

function offset(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}
