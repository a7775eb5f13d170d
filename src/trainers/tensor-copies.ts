import { alignedMemory, type HostTensor } from "../runtime/index.ts";
import type { StepTensors } from "./step-tensors.ts";

type Tensors = ReadonlyMap<string, HostTensor>;

/** Bytes of a page of memory, and of what a disk reads and writes at a time. */
const PAGE = 4096;

/** One array has at most so many bytes, unless a single tensor needs more. */
const LONGEST = 2 ** 30;

/**
 * A copy of float32 tensors, in the memory of an earlier copy where there is one: fresh memory costs many times what copying does.
 * What is fresh is laid out {@link endToEnd}.
 */
export function copyTensors({ parameters, optimizer }: StepTensors, earlier?: StepTensors): StepTensors {
  return {
    parameters: copy(parameters, earlier?.parameters),
    optimizer: copy(optimizer, earlier?.optimizer),
  };
}

function copy(tensors: Tensors, earlier?: Tensors): Tensors {
  const isAlike =
    earlier?.size === tensors.size &&
    [...tensors].every(([name, { data }]) => earlier.get(name)?.data.length === data.length);
  const memory = isAlike ? earlier : endToEnd(tensors);
  for (const [name, { data }] of tensors) {
    const target = memory.get(name)?.data as Float32Array;
    target.set(data as Float32Array);
  }
  return memory;
}

/**
 * Memory for such tensors, one after the other in the order of their names. Each has the place in its page that it would have if the
 * first began a page and there were no end: who writes them in that order into a file need not copy them again to write whole pages.
 */
export function endToEnd(tensors: Tensors, longest = LONGEST): Tensors {
  const placed = new Map<string, HostTensor>();
  let position = 0;
  for (const group of groupsOf(tensors, longest)) {
    let at = position % PAGE;
    const size = group.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
    const memory = alignedMemory(at + size, PAGE);
    for (const [name, { dtype, shape, data }] of group) {
      const target = new Float32Array(memory.buffer, memory.byteOffset + at, data.length);
      placed.set(name, { dtype, shape, data: target });
      at += target.byteLength;
    }
    position += size;
  }
  return placed;
}

/** Tensors in the order of their names, as many together as one array can have. */
function groupsOf(tensors: Tensors, longest: number): readonly (readonly [string, HostTensor])[][] {
  const groups: [string, HostTensor][][] = [];
  let room = 0;
  for (const entry of [...tensors].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const { byteLength } = entry[1].data;
    if (groups.length > 0 && byteLength <= room) groups.at(-1)?.push(entry);
    else {
      groups.push([entry]);
      room = longest;
    }
    room -= byteLength;
  }
  return groups;
}
