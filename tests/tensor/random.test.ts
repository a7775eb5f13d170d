import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mix32, Random } from "../../src/tensor/random.ts";

/** xoshiro128** 1.1 as its authors' C code has it, in 64-bit arithmetic. */
function reference(state: bigint[]): () => number {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  return () => {
    const [a, b, c, d] = state as [bigint, bigint, bigint, bigint];
    const result = (rotate((b * 5n) & mask, 7n) * 9n) & mask;
    let [e, f, g, h] = [a, b, c ^ a, d ^ b];
    f ^= g;
    e ^= h;
    g ^= (b << 9n) & mask;
    h = rotate(h, 11n);
    state.splice(0, 4, e, f, g, h);
    return Number(result);
  };
}

/** MurmurHash3 x86_32 over bytes, after Appleby's C++. */
function murmur(key: number, bytes: Uint8Array): number {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  let hash = BigInt(key);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bytes.length; i += 4) {
    const k = (rotate((BigInt(view.getUint32(i, true)) * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask;
    hash = (rotate(hash ^ k, 13n) * 5n + 0xe6546b64n) & mask;
  }
  hash ^= BigInt(bytes.length);
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
  return Number(hash ^ (hash >> 16n));
}

function bytesOf(seeds: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * seeds.length));
  for (const [i, seed] of seeds.entries()) view.setBigInt64(8 * i, BigInt(seed), true);
  return new Uint8Array(view.buffer);
}

const seeds = fc.array(fc.maxSafeInteger(), { maxLength: 5 });

describe("mix32", () => {
  test("is MurmurHash3 of the seeds as 64-bit little-endian integers", () => {
    // Published test vectors, on which the reference above is checked.
    expect(murmur(0, new Uint8Array(0))).toBe(0);
    expect(murmur(1, new Uint8Array(0))).toBe(0x514e28b7);
    expect(murmur(0, Uint8Array.of(0x21, 0x43, 0x65, 0x87))).toBe(0xf55b516b);
    fc.assert(
      fc.property(seeds, (numbers) => {
        expect(mix32(...numbers)).toBe(murmur(0, bytesOf(numbers)));
      }),
    );
  });

  test("tells order, and numbers beyond 32 bits, apart", () => {
    const keys = [mix32(1, 2), mix32(2, 1), mix32(1), mix32(1, 0), mix32(2 ** 32 + 1), mix32(-1)];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("refuses what is no integer", () => {
    expect(() => mix32(0.5)).toThrow(RangeError);
    expect(() => new Random(Number.NaN)).toThrow("at most 53 bits");
  });
});

describe("Random", () => {
  test("is xoshiro128** seeded by four hashes", () => {
    fc.assert(
      fc.property(seeds, (numbers) => {
        const random = new Random(...numbers);
        const next = reference([1, 2, 3, 4].map((key) => BigInt(murmur(key, bytesOf(numbers)))));
        for (let i = 0; i < 20; i++) expect(random.uint32()).toBe(next());
      }),
    );
  });

  test("gives the numbers it has always given", () => {
    const random = new Random(1337, 0);
    expect([random.uint32(), random.uint32(), random.integer(100), random.uniform()]).toMatchInlineSnapshot(`
      [
        3383164132,
        1767851706,
        78,
        0.07924361688012671,
      ]
    `);
    expect([...new Random(42).permutation(8)]).toMatchInlineSnapshot(`
      [
        5,
        3,
        4,
        0,
        6,
        2,
        7,
        1,
      ]
    `);
  });

  test("draws integers evenly", () => {
    const random = new Random(7);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) counts[random.integer(6)]! += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
    expect(random.integer(1)).toBe(0);
    expect(() => random.integer(0)).toThrow(RangeError);
    expect(() => random.integer(2 ** 32 + 1)).toThrow(RangeError);
  });

  test("draws uniform numbers in [0, 1) and normal ones of mean 0 and variance 1", () => {
    const random = new Random(11);
    const n = 100_000;
    const uniform = Array.from({ length: n }, () => random.uniform());
    expect(Math.min(...uniform.slice(0, 50_000))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform.slice(0, 50_000))).toBeLessThan(1);
    expect(Math.abs(uniform.reduce((a, b) => a + b) / n - 0.5)).toBeLessThan(0.004);
    const normal = Array.from({ length: n }, () => random.normal());
    expect(Math.abs(normal.reduce((a, b) => a + b) / n)).toBeLessThan(0.013);
    expect(Math.abs(normal.reduce((a, b) => a + b * b, 0) / n - 1)).toBeLessThan(0.02);
    const beyondTwo = normal.filter((value) => Math.abs(value) > 2).length / n;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.003);
  });

  test("permutes: every integer once, all orders alike", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(), (n, seed) => {
        const order = new Random(seed).permutation(n);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
    const counts = new Map<string, number>();
    const random = new Random(3);
    for (let i = 0; i < 24_000; i++) {
      const order = random.permutation(4).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  });
});
