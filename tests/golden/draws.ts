/** The generator that the golden files' scripts draw weights and batches from (see `draws.py`). */
export class Draws {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (Math.imul(1664525, this.#state) + 1013904223) >>> 0;
    return this.#state;
  }

  /** A number in [−0.5, 0.5). */
  uniform(): number {
    return this.next() / 2 ** 32 - 0.5;
  }
}

/** Little-endian float32 numbers from base64. */
export function floats(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return new Float32Array(bytes.buffer);
}
