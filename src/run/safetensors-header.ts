import { byteSize, type DType } from "../tensor/dtype.ts";

/** A file or buffer that is not valid safetensors, or holds what we cannot read. Nothing of it should be used. */
export class SafetensorsError extends Error {
  readonly code = "SAFETENSORS";
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SafetensorsError";
  }
}

/** Where one tensor's bytes lie, counted from the end of the header. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Length of everything before the first tensor: the 8 bytes of the length and the header itself. */
  readonly dataOffset: number;
}

/** Bytes that say how long the header is: an unsigned 64-bit little-endian integer. */
export const lengthBytes = 8;

/** The limit of the reference implementation: a longer header is an attack, not a model. */
const maxHeaderBytes = 100_000_000;

const codes: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  int32: "I32",
  int64: "I64",
  uint32: "U32",
  bool: "BOOL",
};
const dtypes = new Map(Object.entries(codes).map(([dtype, code]) => [code, dtype as DType]));

/** The order in which the reference implementation stores tensors: larger alignment first, then by name. */
const storageOrder: readonly DType[] = ["int64", "float64", "float32", "uint32", "int32", "bool"];

interface TensorShape {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * The header of a file with these tensors, laid out as the reference implementation (Rust, Python) does: the same
 * tensors give the same bytes. Padded with spaces, so that the data begins at a multiple of `alignment`; theirs is 8.
 *
 * @param alignment In bytes, a multiple of 8.
 */
export function encodeHeader(
  tensors: ReadonlyMap<string, TensorShape>,
  metadata: Readonly<Record<string, string>> = {},
  alignment = 8,
): { readonly bytes: Uint8Array; readonly entries: readonly TensorEntry[] } {
  const entries: TensorEntry[] = [];
  let offset = 0;
  for (const [name, { dtype, shape }] of [...tensors].sort(compareStorage)) {
    if (name === "__metadata__")
      throw new SafetensorsError(
        'a tensor cannot be called "__metadata__": the format keeps that name for itself',
      );
    const end = offset + byteLength(name, dtype, shape);
    entries.push({ name, dtype, shape, begin: offset, end });
    offset = end;
  }
  const parts = entries.map(
    (e) =>
      `${JSON.stringify(e.name)}:{"dtype":"${codes[e.dtype]}","shape":${JSON.stringify(e.shape)},"data_offsets":[${e.begin},${e.end}]}`,
  );
  if (Object.keys(metadata).length > 0) parts.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${parts.join(",")}}`, "utf8");
  const padded = Math.ceil((lengthBytes + json.length) / alignment) * alignment - lengthBytes;
  if (padded > maxHeaderBytes)
    throw new SafetensorsError(
      `the header of ${tensors.size} tensors takes ${padded} bytes; the format allows ${maxHeaderBytes}`,
    );
  const bytes = Buffer.alloc(lengthBytes + padded, " ");
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, lengthBytes);
  return { bytes, entries };
}

function compareStorage(
  [leftName, left]: readonly [string, TensorShape],
  [rightName, right]: readonly [string, TensorShape],
): number {
  const byDtype = storageOrder.indexOf(left.dtype) - storageOrder.indexOf(right.dtype);
  return byDtype !== 0 ? byDtype : Buffer.compare(Buffer.from(leftName), Buffer.from(rightName));
}

/**
 * The length that the first 8 bytes announce, checked against the file's size.
 *
 * @throws {SafetensorsError} when it is over the limit or reaches past the end.
 */
export function readHeaderLength(prefix: Uint8Array, fileSize: number): number {
  if (fileSize < lengthBytes || prefix.length < lengthBytes)
    throw new SafetensorsError(
      `${fileSize} bytes are too few: a safetensors file begins with 8 bytes of header length`,
    );
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes))
    throw new SafetensorsError(
      `the header claims ${length} bytes, over the limit of ${maxHeaderBytes}: not a safetensors file, or damaged`,
    );
  if (Number(length) > fileSize - lengthBytes)
    throw new SafetensorsError(
      `the header claims ${length} bytes, but only ${fileSize - lengthBytes} follow: the file is cut off`,
    );
  return Number(length);
}

/**
 * Reads and checks a header: valid JSON object, known dtypes, offsets in order without holes or overlaps, lengths that
 * equal shape × dtype, and nothing after the last tensor.
 *
 * @param header The bytes after the length.
 * @param fileSize Bytes of the whole file.
 */
export function decodeHeader(header: Uint8Array, fileSize: number): SafetensorsHeader {
  const json = parseObject(header);
  const { __metadata__: rawMetadata, ...tensors } = json;
  const metadata = checkMetadata(rawMetadata);
  const entries = Object.entries(tensors).map(([name, value]) => checkEntry(name, value));
  entries.sort((left, right) => left.begin - right.begin || left.end - right.end);

  const dataOffset = lengthBytes + header.length;
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected)
      throw new SafetensorsError(
        `tensor "${name}" begins at byte ${begin} of the data, but the one before ends at ${expected}: ${begin < expected ? "they overlap" : "there is a hole"}`,
      );
    expected = end;
  }
  const available = fileSize - dataOffset;
  if (expected > available)
    throw new SafetensorsError(
      `the tensors take ${expected} bytes, but only ${available} follow the header: the file is cut off`,
    );
  if (expected < available)
    throw new SafetensorsError(`${available - expected} bytes follow the last tensor: the file is damaged`);
  return { entries, metadata, dataOffset };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError("the header is not valid UTF-8", { cause });
  }
  if (!text.startsWith("{")) throw new SafetensorsError("the header does not begin with `{`");
  try {
    // Begins with a brace, so whatever parses is an object.
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new SafetensorsError(`the header is not valid JSON: ${String(cause)}`, { cause });
  }
}

function checkMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isRecord(value) || Object.values(value).some((entry) => typeof entry !== "string"))
    throw new SafetensorsError("`__metadata__` in the header must map strings to strings");
  return value as Record<string, string>;
}

function checkEntry(name: string, value: unknown): TensorEntry {
  if (!isRecord(value)) throw new SafetensorsError(`the header's entry of tensor "${name}" is not an object`);
  const { dtype: code, shape, data_offsets: offsets } = value;
  const dtype = typeof code === "string" ? dtypes.get(code) : undefined;
  if (dtype === undefined)
    throw new SafetensorsError(
      `tensor "${name}" has the dtype ${JSON.stringify(code)}; known are ${[...dtypes.keys()].join(", ")}`,
    );
  if (!isNaturals(shape))
    throw new SafetensorsError(
      `tensor "${name}" has the shape ${JSON.stringify(shape)}; expected natural numbers`,
    );
  const [begin, end] = isNaturals(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || begin > end)
    throw new SafetensorsError(
      `tensor "${name}" has the data offsets ${JSON.stringify(offsets)}; expected [begin, end] in order`,
    );
  const expected = byteLength(name, dtype, shape);
  if (end - begin !== expected)
    throw new SafetensorsError(
      `tensor "${name}" of shape [${shape.join(", ")}] and dtype ${code} takes ${expected} bytes, but has ${end - begin}`,
    );
  return { name, dtype, shape, begin, end };
}

function byteLength(name: string, dtype: DType, shape: readonly number[]): number {
  const bytes = shape.reduce((product, dimension) => product * dimension, byteSize[dtype]);
  if (!Number.isSafeInteger(bytes))
    throw new SafetensorsError(`tensor "${name}" of shape [${shape.join(", ")}] is larger than any memory`);
  return bytes;
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
