import fc from "fast-check";
import { expect, test } from "vitest";
import { isAligned } from "../../src/runtime/aligned-memory.ts";
import type { HostTensor } from "../../src/runtime/index.ts";
import { copyTensors, endToEnd } from "../../src/trainers/tensor-copies.ts";

const tensors = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 4 }), fc.nat(5000)), {
    selector: ([name]) => name,
  })
  .map(
    (list) =>
      new Map<string, HostTensor>(
        list.map(([name, length], index) => [
          name,
          { dtype: "float32", shape: [length], data: new Float32Array(length).fill(index) },
        ]),
      ),
  );

const bytesOf = ({ data }: HostTensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

test("a copy has the same numbers in memory of its own", () => {
  fc.assert(
    fc.property(tensors, tensors, (parameters, optimizer) => {
      const copy = copyTensors({ parameters, optimizer });
      expect(copy).toEqual({ parameters, optimizer });
      for (const [name, { data }] of parameters)
        expect(copy.parameters.get(name)?.data.buffer).not.toBe(data.buffer);
    }),
  );
});

test("the next copy has the memory of the one before, unless that was of other tensors", () => {
  const tensor = (value: number, length = 3): HostTensor => ({
    dtype: "float32",
    shape: [length],
    data: new Float32Array(length).fill(value),
  });
  const of = (...list: [string, HostTensor][]) => ({ parameters: new Map(list), optimizer: new Map() });
  const first = copyTensors(of(["a", tensor(1)], ["b", tensor(2)]));
  const second = copyTensors(of(["a", tensor(3)], ["b", tensor(4)]), first);
  expect(second.parameters.get("b")?.data).toBe(first.parameters.get("b")?.data);
  expect(first.parameters.get("b")?.data[0]).toBe(4);
  for (const other of [of(["a", tensor(5)]), of(["a", tensor(5)], ["b", tensor(6, 4)])]) {
    expect(copyTensors(other, second)).toEqual(other);
    expect(second.parameters.get("a")?.data[0]).toBe(3);
  }
});

test("tensors lie end to end in the order of their names, each at its place in a page, in arrays that are not too long", () => {
  fc.assert(
    fc.property(tensors, fc.constantFrom(1, 30_000, 2 ** 30), (map, longest) => {
      const memory = endToEnd(map, longest);
      let position = 0;
      let before: HostTensor | undefined;
      for (const name of [...map.keys()].sort()) {
        const tensor = memory.get(name) as HostTensor;
        const { data } = tensor;
        expect(data.length).toBe(map.get(name)?.data.length);
        const isNext = before?.data.buffer === data.buffer;
        if (before !== undefined && isNext)
          expect(data.byteOffset).toBe(before.data.byteOffset + before.data.byteLength);
        else if (data.length > 0) {
          const page = position - (position % 4096);
          const inPage = new Uint8Array(data.buffer, data.byteOffset - (position - page));
          expect(isAligned(inPage, 4096)).toBe(true);
        }
        if (longest === 2 ** 30) expect(isNext).toBe(before !== undefined);
        expect(data.buffer.byteLength).toBeLessThanOrEqual(
          Math.max(longest, bytesOf(tensor).length) + 2 * 4096,
        );
        position += data.byteLength;
        before = tensor;
      }
    }),
  );
});
