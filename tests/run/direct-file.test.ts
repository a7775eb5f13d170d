import { mkdtemp, open, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { blockBytes, compareFile, createFile } from "../../src/run/direct-file.ts";
import { alignedMemory } from "../../src/runtime/index.ts";

const piece = 4 * 1024 * 1024;

/** Bytes of `chunks` that were copied elsewhere while `work` ran. Vitest copies some of its own meanwhile. */
async function copied(chunks: readonly Uint8Array[], work: () => Promise<void>): Promise<number> {
  const set = vi.spyOn(Uint8Array.prototype, "set");
  const buffers = new Set<unknown>(chunks.map(({ buffer }) => buffer));
  try {
    await work();
    let sum = 0;
    for (const [source] of set.mock.calls)
      if (source instanceof Uint8Array && buffers.has(source.buffer)) sum += source.length;
    return sum;
  } finally {
    set.mockRestore();
  }
}

/** Bytes that differ from place to place. */
function content(size: number, bytes: Uint8Array = new Uint8Array(size)): Uint8Array {
  for (let at = 0, value = 1; at < size; at++) {
    value = (value * 1103515245 + 12345) >>> 0;
    bytes[at] = value >>> 16;
  }
  return bytes;
}

function* chunksOf(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

// A file system in memory cannot go past the page cache on older kernels; a disk can.
describe.each([
  ["the folder of temporary files", tmpdir()],
  ["this folder", import.meta.dirname],
])("in %s", (_, parent) => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(parent, "codex-ml-direct-file-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    0,
    1,
    4095,
    4096,
    4097,
    piece - 1,
    piece,
    piece + 1,
    2 * piece,
    3 * piece + 4096,
    3 * piece + 5,
  ])("%i bytes are written as they are, and found to be so", async (size) => {
    const path = join(folder, `file-${size}`);
    const bytes = content(size);
    const file = await createFile(path);
    for (const chunk of chunksOf(bytes, 1_000_003)) await file.write(chunk);
    await file.sync();
    await file.close();
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
    await compareFile(path, chunksOf(bytes, 999_983));

    if (size === 0) return;
    const other = await open(path, "r+");
    const at = size - 1 - (size >> 2);
    await other.write(Uint8Array.of((bytes[at] as number) ^ 1), 0, 1, at);
    await other.sync();
    await other.close();
    await expect(compareFile(path, chunksOf(bytes, 999_983))).rejects.toThrow(
      "does not hold what was written",
    );
  });

  test.each([
    { what: "fits", position: 4096, offset: 0, size: 3 * piece, copies: 0 },
    { what: "ends between blocks", position: 4096, offset: 0, size: 3 * piece + 7, copies: 7 },
    { what: "begins between blocks", position: 8096, offset: 4000, size: 3 * piece + 1, copies: 96 + 4001 },
    { what: "does not fit", position: 4096, offset: 8, size: 3 * piece, copies: 3 * piece },
    { what: "is not worth it", position: 4096, offset: 0, size: 1_000_000, copies: 1_000_000 },
  ])("memory that $what is copied as far as it must be", async ({ what, position, offset, size, copies }) => {
    const path = join(folder, what);
    const memory = content(size, alignedMemory(offset + size, blockBytes).subarray(offset));
    const chunks = [content(position), memory, content(9)];
    const file = await createFile(path);
    const bytes = await copied(chunks, async () => {
      for (const chunk of chunks) await file.write(chunk);
    });
    await file.sync();
    await file.close();
    expect(bytes).toBe(position + copies + 9);
    expect(Buffer.compare(await readFile(path), Buffer.concat(chunks))).toBe(0);
    await compareFile(path, chunks);
  });

  test("a file that is too long or too short is found", async () => {
    const path = join(folder, "lengths");
    const bytes = content(2 * piece);
    const file = await createFile(path);
    await file.write(bytes);
    await file.close();
    await expect(compareFile(path, [bytes, Uint8Array.of(1)])).rejects.toThrow(
      `ends after ${bytes.length} bytes`,
    );
    await expect(compareFile(path, [bytes.subarray(0, -1)])).rejects.toThrow("has more than");
    await truncate(path, bytes.length - 1);
    await expect(compareFile(path, [bytes])).rejects.toThrow(`ends after ${bytes.length - 1} bytes`);
  });

  test("what is there already is not written over", async () => {
    const path = join(folder, "twice");
    await (await createFile(path)).close();
    await expect(createFile(path)).rejects.toMatchObject({ code: "EEXIST" });
  });
});
