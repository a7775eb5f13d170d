import { isUtf8 } from "node:buffer";
import { invalidUtf8, wholeCharacters } from "../utf8.ts";

/**
 * Bytes as text, in chunks that never split a character; a byte order mark at the start is left out.
 *
 * @throws DataError `DATA_INVALID_UTF8` with the offset, in the decompressed bytes.
 */
export async function* textChunks(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  const decode = (bytes: Buffer): string => {
    if (!isUtf8(bytes)) throw invalidUtf8(path, offset, bytes);
    const text = bytes.toString("utf8");
    const marked = offset === 0 && text.startsWith("\uFEFF");
    offset += bytes.length;
    return marked ? text.slice(1) : text;
  };
  for await (const chunk of chunks) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const whole = wholeCharacters(bytes);
    rest = bytes.subarray(whole);
    if (whole > 0) yield decode(bytes.subarray(0, whole));
  }
  if (rest.length > 0) yield decode(rest);
}
