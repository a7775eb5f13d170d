import { type FileHandle, open } from "node:fs/promises";
import { endianness } from "node:os";
import { allocate, elementCount, type HostTensor } from "../runtime/host-tensor.ts";
import {
  decodeHeader,
  encodeHeader,
  lengthBytes,
  readHeaderLength,
  SafetensorsError,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors-header.ts";

export { SafetensorsError } from "./safetensors-header.ts";

/** Named tensors, and the strings that the file carries beside them. */
export interface SafetensorsContent {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file is given in pieces of this size: small enough to digest without holding up the event loop. */
const chunkBytes = 4 * 1024 * 1024;

/** Reads are cut into pieces that are still in the processor's cache when they are looked at. */
const readBytes = 4 * 1024 * 1024;

/**
 * The bytes of a safetensors file, piece by piece. The pieces are views of the tensors' own memory: writing a model of
 * 4 GB needs no second 4 GB. They must be consumed before the tensors change. Tensors that follow one another in memory as they
 * do in the file are given together; pieces end where the file's own pieces of 4 MiB do.
 *
 * Format: https://github.com/huggingface/safetensors#format. The layout equals the reference implementation's.
 *
 * @param alignment Where the data may begin: at a multiple of so many bytes, itself a multiple of 8, the reference's.
 * @throws {SafetensorsError} when a tensor's data does not have the length of its shape.
 */
export function* safetensorsChunks(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
  alignment?: number,
): Generator<Uint8Array> {
  requireLittleEndian();
  const { bytes, entries } = encodeHeader(tensors, metadata, alignment);
  for (const [name, { shape, data }] of tensors)
    if (data.length !== elementCount(shape))
      throw new SafetensorsError(
        `tensor "${name}" of shape [${shape.join(", ")}] has ${data.length} elements instead of ${elementCount(shape)}`,
      );
  yield bytes;
  let position = bytes.length;
  for (const { buffer, begin, end } of runsOf(entries, tensors))
    for (let at = begin; at < end; ) {
      const length = Math.min(end - at, chunkBytes - (position % chunkBytes));
      yield new Uint8Array(buffer, at, length);
      at += length;
      position += length;
    }
}

/** A stretch of memory, in bytes of its buffer. */
interface Run {
  readonly buffer: ArrayBufferLike;
  readonly begin: number;
  readonly end: number;
}

/** The memory of tensors in the order of the file, as few stretches as possible. */
function* runsOf(entries: readonly TensorEntry[], tensors: ReadonlyMap<string, HostTensor>): Generator<Run> {
  let run: Run | undefined;
  for (const { name } of entries) {
    const data = tensors.get(name)?.data;
    if (data === undefined || data.byteLength === 0) continue;
    const { buffer, byteOffset } = data;
    const end = byteOffset + data.byteLength;
    if (run?.buffer === buffer && run.end === byteOffset) run = { ...run, end };
    else {
      if (run !== undefined) yield run;
      run = { buffer, begin: byteOffset, end };
    }
  }
  if (run !== undefined) yield run;
}

/** Bytes that {@link safetensorsChunks} will give, without making them. */
export function safetensorsSize(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
  alignment?: number,
): number {
  const { bytes, entries } = encodeHeader(tensors, metadata, alignment);
  return bytes.length + (entries.at(-1)?.end ?? 0);
}

/** A whole safetensors file in memory. For files, {@link safetensorsChunks} needs no copy. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return Buffer.concat([...safetensorsChunks(tensors, metadata)]);
}

/**
 * Reads a safetensors file in memory. Each tensor gets memory of its own.
 *
 * @throws {SafetensorsError} when any of the format's rules is broken.
 */
export function decodeSafetensors(file: Uint8Array): SafetensorsContent {
  requireLittleEndian();
  const headerLength = readHeaderLength(file, file.length);
  const header = decodeHeader(file.subarray(lengthBytes, lengthBytes + headerLength), file.length);
  const tensors = new Map<string, HostTensor>();
  for (const { name, dtype, shape, begin, end } of header.entries) {
    const tensor = allocate(dtype, shape);
    bytesOf(tensor).set(file.subarray(header.dataOffset + begin, header.dataOffset + end));
    tensors.set(name, tensor);
  }
  return { tensors, metadata: header.metadata };
}

/**
 * Reads a safetensors file from disk, straight into each tensor's memory.
 *
 * @param inspect Given every byte of the file in order, while the next ones are being read: for a digest.
 * @throws {SafetensorsError} naming the file, when it cannot be read or any of the format's rules is broken.
 */
export async function readSafetensors(
  path: string,
  inspect: (bytes: Uint8Array) => void = () => {},
): Promise<SafetensorsContent> {
  requireLittleEndian();
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { header, bytes } = await readHeader(file);
    inspect(bytes);
    const tensors = new Map<string, HostTensor>();
    for (const { name, dtype, shape } of header.entries) tensors.set(name, allocate(dtype, shape));
    let last: Uint8Array | undefined;
    for (const { target, position } of targets(header, tensors)) {
      const reading = readFully(file, target, position);
      if (last !== undefined) inspect(last);
      await reading;
      last = target;
    }
    if (last !== undefined) inspect(last);
    return { tensors, metadata: header.metadata };
  } catch (cause) {
    throw new SafetensorsError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  } finally {
    await file?.close();
  }
}

/** Pieces of the tensors' memory in the order of the file, which has no holes between them. */
function* targets(
  { entries, dataOffset }: SafetensorsHeader,
  tensors: ReadonlyMap<string, HostTensor>,
): Generator<{ readonly target: Uint8Array; readonly position: number }> {
  for (const { name, begin } of [...entries].sort((a, b) => a.begin - b.begin)) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    const bytes = bytesOf(tensor);
    for (let start = 0; start < bytes.length; start += readBytes)
      yield { target: bytes.subarray(start, start + readBytes), position: dataOffset + begin + start };
  }
}

async function readHeader(
  file: FileHandle,
): Promise<{ readonly header: SafetensorsHeader; readonly bytes: Uint8Array }> {
  const { size } = await file.stat();
  const prefix = new Uint8Array(Math.min(lengthBytes, size));
  await readFully(file, prefix, 0);
  const header = new Uint8Array(readHeaderLength(prefix, size));
  await readFully(file, header, lengthBytes);
  return { header: decodeHeader(header, size), bytes: Buffer.concat([prefix, header]) };
}

/** One read may give less than asked (Linux stops at 2 GiB), so go on until the target is full. */
async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new SafetensorsError("the file became shorter while it was read");
    done += bytesRead;
  }
}

function bytesOf({ data }: HostTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The format is little-endian and so is every platform that ONNX Runtime ships for; say so rather than swap silently. */
function requireLittleEndian(): void {
  if (endianness() !== "LE")
    throw new SafetensorsError(
      "this machine is big-endian; reading and writing safetensors here is not supported",
    );
}
