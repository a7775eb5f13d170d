import { constants, isUtf8 } from "node:buffer";
import { DataError } from "../errors.ts";
import { brokenCharacter } from "../utf8.ts";

/** A line without its end, or what is wrong with it. Lines count from 1. */
export type Line =
  | { readonly at: number; readonly text: string }
  | { readonly at: number; readonly problem: string };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Cuts bytes into lines, which end in LF or CRLF; the last needs no end. A byte order mark at the start is left out, and
 * every other character stays, NUL too. One batch of lines for each chunk of bytes.
 *
 * A line that is not UTF-8, or longer than a text can be, is given as a problem. Takes as much memory as the longest line.
 *
 * @throws DataError `DATA_INVALID_UTF8` when the file looks like UTF-16, which has no lines of this kind.
 */
export async function* textLines(
  path: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<readonly Line[]> {
  /** Parts of a line whose end has not come yet. */
  let pending: Buffer[] = [];
  let at = 1;
  for await (const chunk of withoutMark(path, chunks)) {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end === 0) {
      pending.push(chunk);
      continue;
    }
    const lines: Line[] = [];
    let from = 0;
    if (pending.length > 0) {
      from = chunk.indexOf(LF) + 1;
      lines.push(toLine(at, Buffer.concat([...pending, chunk.subarray(0, from - 1)]), false));
    }
    const valid = isUtf8(chunk.subarray(from, end));
    while (from < end) {
      const to = chunk.indexOf(LF, from);
      lines.push(toLine(at + lines.length, chunk.subarray(from, to), valid));
      from = to + 1;
    }
    pending = end < chunk.length ? [chunk.subarray(end)] : [];
    at += lines.length;
    yield lines;
  }
  if (pending.length > 0) yield [toLine(at, Buffer.concat(pending), false)];
}

/** The bytes behind a byte order mark at the start. @throws DataError for UTF-16. */
async function* withoutMark(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (first === undefined) {
      yield chunk;
      continue;
    }
    first = Buffer.concat([first, chunk]);
    if (first.length < 3) continue; // too little to see a mark
    const rest = unmarked(path, first);
    first = undefined;
    if (rest.length > 0) yield rest;
  }
  if (first !== undefined && first.length > 0) yield unmarked(path, first);
}

function unmarked(path: string, bytes: Buffer): Buffer {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new DataError(
      "DATA_INVALID_UTF8",
      `${path} is not UTF-8, and looks like UTF-16. Convert it to UTF-8.`,
    );
  return first === 0xef && second === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** @param valid whether the bytes are known to be UTF-8 */
function toLine(at: number, bytes: Buffer, valid: boolean): Line {
  const length = bytes[bytes.length - 1] === CR ? bytes.length - 1 : bytes.length;
  if (length > constants.MAX_STRING_LENGTH)
    return { at, problem: `has ${length} bytes, and a text can have ${constants.MAX_STRING_LENGTH}` };
  if (!valid && !isUtf8(bytes)) {
    const broken = brokenCharacter(bytes);
    return {
      at,
      problem: `is not UTF-8: the byte 0x${broken.byte} at offset ${broken.at} of the line begins no whole character`,
    };
  }
  return { at, text: bytes.toString("utf8", 0, length) };
}
