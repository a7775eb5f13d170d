import { addressOf } from "./ort/api.ts";

/**
 * Zeros outside V8's heap that start at a multiple of `alignment`, a power of two.
 *
 * @param size,alignment In bytes.
 */
export function alignedMemory(size: number, alignment: number): Uint8Array {
  const memory = new Uint8Array(new ArrayBuffer(size + alignment));
  const start = Number(-addressOf(memory) & BigInt(alignment - 1));
  return memory.subarray(start, start + size);
}

/** Whether the first of `bytes`, which must be outside V8's heap, is at a multiple of `alignment`, a power of two. */
export function isAligned(bytes: Uint8Array, alignment: number): boolean {
  return (addressOf(bytes) & BigInt(alignment - 1)) === 0n;
}
