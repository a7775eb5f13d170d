import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { DataError } from "./errors.ts";

const CHUNK_BYTES = 1 << 20;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads a file as text, in chunks of about a megabyte that never split a character. A byte order mark at the start is
 * left out; everything else stays as it is, line ends too.
 *
 * @param onBytes sees all bytes of the file as they are read
 * @throws DataError `DATA_INVALID_UTF8` with file and byte offset: nothing is replaced silently.
 */
export async function* readUtf8(
  path: string,
  onBytes: (bytes: Uint8Array) => void = () => {},
): AsyncGenerator<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // A folder of small files should not cost a megabyte each; a character must fit, or nothing would move on.
    const buffer = Buffer.allocUnsafe(Math.max(4, Math.min(CHUNK_BYTES, size + 1)));
    /** Bytes of an unfinished character that the last read left at the start of the buffer. */
    let carried = 0;
    /** Where in the file the buffer starts. */
    let offset = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, carried, buffer.length - carried);
      onBytes(buffer.subarray(carried, carried + bytesRead));
      const filled = carried + bytesRead;
      const whole = bytesRead === 0 ? filled : wholeCharacters(buffer.subarray(0, filled));
      const bytes = buffer.subarray(0, whole);
      if (!isUtf8(bytes)) throw invalidUtf8(path, offset, bytes);
      const marked = offset === 0 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK);
      if (whole > (marked ? 3 : 0)) yield bytes.toString("utf8", marked ? 3 : 0);
      if (bytesRead === 0) return;
      buffer.copyWithin(0, whole, filled);
      carried = filled - whole;
      offset += whole;
    }
  } finally {
    await file.close();
  }
}

/** Bytes in the character that starts with `lead`; 1 for what starts none. */
function characterLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

/** How many of `bytes` come before a character that is not all there. */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return characterLength(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Where the first character stands that is broken, in bytes that are not UTF-8, and its first byte in hexadecimal. */
export function brokenCharacter(bytes: Uint8Array): { readonly at: number; readonly byte: string } {
  let at = 0;
  // Runs once for each error: plain beats fast.
  for (let length = 1; at < bytes.length; at += length) {
    length = characterLength(bytes[at] ?? 0);
    if (at + length > bytes.length || !isUtf8(bytes.subarray(at, at + length))) break;
  }
  return { at, byte: (bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, "0") };
}

/** The error for a file that is not UTF-8; `bytes`, which start at `offset`, hold what is broken. */
export function invalidUtf8(path: string, offset: number, bytes: Buffer): DataError {
  const { at: bad, byte: value } = brokenCharacter(bytes);
  const utf16 = offset + bad === 0 && (value === "FF" || value === "FE") ? ", and looks like UTF-16" : "";
  return new DataError(
    "DATA_INVALID_UTF8",
    `${path} is not UTF-8: the byte 0x${value} at offset ${offset + bad} begins no whole character${utf16}. ` +
      'Convert the file to UTF-8, or choose files by a glob such as "data/**/*.txt".',
  );
}
