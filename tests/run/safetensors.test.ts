import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  SafetensorsError,
  safetensorsChunks,
  safetensorsSize,
} from "../../src/run/safetensors.ts";
import type { HostTensor } from "../../src/runtime/host-tensor.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const tensors: fc.Arbitrary<HostTensor> = shapes.chain((shape): fc.Arbitrary<HostTensor> => {
  const size = { minLength: count(shape), maxLength: count(shape) };
  return fc.oneof(
    fc.float32Array(size).map((data) => ({ dtype: "float32" as const, shape, data })),
    fc.float64Array(size).map((data) => ({ dtype: "float64" as const, shape, data })),
    fc.int32Array(size).map((data) => ({ dtype: "int32" as const, shape, data })),
    fc.uint32Array(size).map((data) => ({ dtype: "uint32" as const, shape, data })),
    fc.bigInt64Array(size).map((data) => ({ dtype: "int64" as const, shape, data })),
    fc.uint8Array({ ...size, max: 1 }).map((data) => ({ dtype: "bool" as const, shape, data })),
  );
});
const names = fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__");
const files = fc.array(fc.tuple(names, tensors)).map((entries) => new Map(entries));
const metadata = fc.dictionary(fc.string(), fc.string());

/** Bit patterns, not numbers: a NaN must keep its payload and −0 its sign. */
function bits(content: ReadonlyMap<string, HostTensor>): unknown {
  return [...content]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { dtype, shape, data }]) => [
      name,
      dtype,
      shape,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
    ]);
}

describe("round trip", () => {
  test("any tensors come back bit for bit, from memory and from disk", async () => {
    const path = join(folder, "round-trip.safetensors");
    await fc.assert(
      fc.asyncProperty(files, metadata, async (map, strings) => {
        const bytes = encodeSafetensors(map, strings);
        expect(safetensorsSize(map, strings)).toBe(bytes.length);
        await writeFile(path, safetensorsChunks(map, strings));
        for (const read of [decodeSafetensors(bytes), await readSafetensors(path)]) {
          expect(bits(read.tensors)).toEqual(bits(map));
          expect({ ...read.metadata }).toEqual({ ...strings });
        }
      }),
    );
  });

  test("the data begins at a multiple of 8, and every tensor at a multiple of its element", () => {
    fc.assert(
      fc.property(files, (map) => {
        const bytes = encodeSafetensors(map);
        const length = Number(Buffer.from(bytes).readBigUInt64LE(0));
        expect(length % 8).toBe(0);
        const header = JSON.parse(Buffer.from(bytes).toString("utf8", 8, 8 + length));
        for (const [name, { data }] of map) {
          expect(
            Object.getOwnPropertyDescriptor(header, name)?.value.data_offsets[0] % data.BYTES_PER_ELEMENT,
          ).toBe(0);
        }
      }),
    );
  });

  test("the data begins where it is asked to, and any reader finds it there", () => {
    fc.assert(
      fc.property(files, metadata, fc.constantFrom(8, 64, 4096), (map, strings, alignment) => {
        const bytes = Buffer.concat([...safetensorsChunks(map, strings, alignment)]);
        expect(safetensorsSize(map, strings, alignment)).toBe(bytes.length);
        expect((8 + Number(bytes.readBigUInt64LE(0))) % alignment).toBe(0);
        expect(bits(decodeSafetensors(bytes).tensors)).toEqual(bits(map));
      }),
    );
  });

  test("tensors that lie in the order of the file are given together, up to where its pieces of 4 MiB end", () => {
    const elements = 1_500_000;
    const all = new Float32Array(3 * elements).map((_, at) => at);
    const tensor = (from: number): HostTensor => ({
      dtype: "float32",
      shape: [elements],
      data: all.subarray(from * elements, (from + 1) * elements),
    });
    const piece = 4 * 1024 * 1024;
    const lengths = (...order: number[]): number[] =>
      [...safetensorsChunks(new Map(order.map((from, at) => [`t${at}`, tensor(from)])), {}, 4096)].map(
        ({ length }) => length,
      );
    expect(lengths(0, 1, 2)).toEqual([4096, piece - 4096, piece, piece, piece, 18e6 + 4096 - 4 * piece]);
    // Those that lie elsewhere are not.
    expect(lengths(1, 0)).toEqual([
      4096,
      piece - 4096,
      6e6 + 4096 - piece,
      2 * piece - 6e6 - 4096,
      12e6 + 4096 - 2 * piece,
    ]);
    const map = new Map([0, 1, 2].map((from) => [`t${from}`, tensor(from)]));
    expect(bits(decodeSafetensors(encodeSafetensors(map)).tensors)).toEqual(bits(map));
  });

  test("the chunks are views of the tensors' memory, not copies", () => {
    const data = new Float32Array(16).fill(1);
    const [, chunk] = safetensorsChunks(new Map([["w", { dtype: "float32", shape: [16], data }]]));
    expect(chunk?.buffer).toBe(data.buffer);
  });

  test("a view into a larger buffer is written as what it shows", () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const { tensors } = decodeSafetensors(
      encodeSafetensors(new Map([["w", { dtype: "float32", shape: [2], data }]])),
    );
    expect(tensors.get("w")?.data).toEqual(new Float32Array([1, 2]));
  });
});

describe("agreement with the reference implementation", () => {
  // tests/golden/safetensors.bin: written by tests/golden/safetensors.py with safetensors 0.8.0.
  const golden = new URL("../golden/safetensors.bin", import.meta.url);
  const expected = new Map<string, HostTensor>([
    [
      "wte.weight",
      { dtype: "float32", shape: [2, 3], data: new Float32Array([0, 0.25, 0.5, 0.75, 1, 1.25]) },
    ],
    ["b", { dtype: "float64", shape: [2], data: new Float64Array([-1.5, Number.POSITIVE_INFINITY]) }],
    ["a", { dtype: "int32", shape: [2], data: new Int32Array([2 ** 31 - 1, -(2 ** 31)]) }],
    ["step", { dtype: "int64", shape: [], data: new BigInt64Array([2n ** 53n + 1n]) }],
    ["mask", { dtype: "bool", shape: [3], data: new Uint8Array([1, 0, 1]) }],
    ["keys", { dtype: "uint32", shape: [2], data: new Uint32Array([0, 2 ** 32 - 1]) }],
    ["empty", { dtype: "float32", shape: [0, 4], data: new Float32Array(0) }],
    ["größe", { dtype: "float32", shape: [1], data: new Float32Array([0.1]) }],
  ]);

  test("a file that Python wrote reads as the same tensors", async () => {
    const { tensors, metadata } = decodeSafetensors(await readFile(golden));
    expect(bits(tensors)).toEqual(bits(expected));
    expect({ ...metadata }).toEqual({ format: "pt" });
  });

  test("the same tensors are written as the same bytes", async () => {
    expect(Buffer.from(encodeSafetensors(expected, { format: "pt" }))).toEqual(await readFile(golden));
  });
});

describe("what a reader must refuse", () => {
  const file = (header: string | Uint8Array, data = new Uint8Array(0), length?: bigint): Uint8Array => {
    const body = Buffer.from(header);
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(length ?? BigInt(body.length));
    return Buffer.concat([prefix, body, data]);
  };
  const entry = (dtype: unknown, shape: unknown, offsets: unknown): unknown => ({
    dtype,
    shape,
    data_offsets: offsets,
  });
  const header = (entries: Record<string, unknown>): string => JSON.stringify(entries);

  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["a file of no bytes", new Uint8Array(0), /0 bytes are too few/],
    ["a file that ends in the header's length", new Uint8Array(5), /5 bytes are too few/],
    ["a header longer than 100 MB", file("{}", undefined, 100_000_001n), /over the limit of 100000000/],
    ["a header length with the top bit set", file("{}", undefined, 2n ** 63n), /over the limit/],
    ["a header that reaches past the file", file("{}", undefined, 3n), /claims 3 bytes, but only 2 follow/],
    ["a header that is not UTF-8", file(new Uint8Array([0x7b, 0xff, 0x7d])), /not valid UTF-8/],
    ["a header that is an array", file("[]"), /does not begin with `{`/],
    ["a header that begins with a space", file(" {}"), /does not begin with `{`/],
    ["a header that is not JSON", file("{a"), /not valid JSON/],
    ["metadata that is not strings", file(header({ __metadata__: { a: 1 } })), /must map strings to strings/],
    ["metadata that is null", file(header({ __metadata__: null })), /must map strings to strings/],
    ["an entry that is not an object", file(header({ w: 1 })), /entry of tensor "w" is not an object/],
    [
      "an unknown dtype",
      file(header({ w: entry("F7", [1], [0, 4]) }), new Uint8Array(4)),
      /"w" has the dtype "F7"; known are F32/,
    ],
    [
      "a dtype that only JavaScript objects have",
      file(header({ w: entry("constructor", [], [0, 4]) })),
      /dtype "constructor"/,
    ],
    ["a missing dtype", file(header({ w: { shape: [], data_offsets: [0, 4] } })), /dtype undefined/],
    [
      "a negative dimension",
      file(header({ w: entry("F32", [-1], [0, 4]) })),
      /shape \[-1\]; expected natural numbers/,
    ],
    ["a broken dimension", file(header({ w: entry("F32", [0.5], [0, 4]) })), /shape \[0.5\]/],
    ["a shape that is a number", file(header({ w: entry("F32", 4, [0, 4]) })), /shape 4/],
    ["three offsets", file(header({ w: entry("F32", [1], [0, 4, 8]) })), /offsets \[0,4,8\]/],
    ["offsets backwards", file(header({ w: entry("F32", [1], [4, 0]) })), /expected \[begin, end\] in order/],
    [
      "a length that is not shape × dtype",
      file(header({ w: entry("F32", [2], [0, 4]) }), new Uint8Array(4)),
      /takes 8 bytes, but has 4/,
    ],
    [
      "a shape whose size overflows",
      file(header({ w: entry("F32", [2 ** 30, 2 ** 30], [0, 0]) })),
      /larger than any memory/,
    ],
    [
      "a hole before the first tensor",
      file(header({ w: entry("F32", [1], [4, 8]) }), new Uint8Array(8)),
      /there is a hole/,
    ],
    [
      "a hole between tensors",
      file(header({ a: entry("F32", [1], [0, 4]), b: entry("F32", [1], [8, 12]) }), new Uint8Array(12)),
      /"b" begins at byte 8 .* ends at 4: there is a hole/,
    ],
    [
      "tensors that overlap",
      file(header({ a: entry("F32", [2], [0, 8]), b: entry("F32", [1], [4, 8]) }), new Uint8Array(8)),
      /they overlap/,
    ],
    [
      "data that is cut off",
      file(header({ w: entry("F32", [2], [0, 8]) }), new Uint8Array(7)),
      /take 8 bytes, but only 7 follow/,
    ],
    [
      "bytes after the last tensor",
      file(header({ w: entry("F32", [1], [0, 4]) }), new Uint8Array(5)),
      /1 bytes follow the last tensor/,
    ],
  ];

  test.each(cases)("%s", async (name, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
    const path = join(folder, `${name.replaceAll(/\W/g, "-")}.safetensors`);
    await writeFile(path, bytes);
    await expect(readSafetensors(path)).rejects.toThrow(message);
    await expect(readSafetensors(path)).rejects.toThrow(path);
  });

  test("any file that was cut anywhere", () => {
    const whole = encodeSafetensors(
      new Map<string, HostTensor>([
        ["w", { dtype: "float32", shape: [3], data: new Float32Array(3) }],
        ["m", { dtype: "bool", shape: [2], data: new Uint8Array(2) }],
      ]),
    );
    for (let length = 0; length < whole.length; length++)
      expect(() => decodeSafetensors(whole.subarray(0, length))).toThrow(SafetensorsError);
  });

  test("any bytes at all: an error of ours or tensors, never anything else", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => file(text)),
        ),
        (bytes) => {
          try {
            decodeSafetensors(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(SafetensorsError);
          }
        },
      ),
    );
  });

  test("a file that is not there, by name", async () => {
    await expect(readSafetensors(join(folder, "absent"))).rejects.toThrow(/absent.*ENOENT/s);
  });
});

describe("what a writer must refuse", () => {
  test("data whose length is not the shape's", () => {
    const bad = new Map<string, HostTensor>([
      ["w", { dtype: "float32", shape: [3], data: new Float32Array(2) }],
    ]);
    expect(() => encodeSafetensors(bad)).toThrow('tensor "w" of shape [3] has 2 elements instead of 3');
  });

  test("the name that the format keeps for itself", () => {
    const bad = new Map<string, HostTensor>([
      ["__metadata__", { dtype: "float32", shape: [0], data: new Float32Array(0) }],
    ]);
    expect(() => encodeSafetensors(bad)).toThrow(SafetensorsError);
  });
});
