const SLAB_BYTES = 1 << 18;

/**
 * Hands out memory of a few kilobytes from larger pieces, not cleared and never handed out again: a typed array of its own
 * for every read costs as much as the read.
 */
export class Slab {
  #memory = Buffer.alloc(0);
  #used = 0;

  /** Aligned for elements of any size. */
  bytes(length: number): Uint8Array {
    if (this.#used + length > this.#memory.length) {
      this.#memory = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += Math.ceil(length / 8) * 8;
    return new Uint8Array(this.#memory.buffer, from, length);
  }

  int32(length: number): Int32Array {
    const { buffer, byteOffset } = this.bytes(4 * length);
    return new Int32Array(buffer, byteOffset, length);
  }
}
