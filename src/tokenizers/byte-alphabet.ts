/**
 * GPT-2's byte alphabet: a printable character for each of the 256 bytes, so that byte-level tokens can be written in
 * JSON as text. Printable Latin-1 bytes stand for themselves; the other 68 take U+0100, U+0101 … in order.
 * Source: `bytes_to_unicode` in OpenAI's gpt-2 `encoder.py`.
 */
const printable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

const bytes = Array.from({ length: 256 }, (_, byte) => byte);

/** Byte of each id, shape (256): ids go by code point of their character, as in GPT-2's vocabulary (`!` is 0). */
export const byteOfId: Uint8Array = Uint8Array.from([
  ...bytes.filter(printable),
  ...bytes.filter((byte) => !printable(byte)),
]);

/** Id of each byte, shape (256): the inverse of {@link byteOfId}. */
export const idOfByte: Uint8Array = new Uint8Array(256);
for (const [id, byte] of byteOfId.entries()) idOfByte[byte] = id;

const firstUnprintableId = bytes.filter(printable).length;
const characterOfByte: readonly string[] = bytes.map((byte) => {
  const id = idOfByte[byte] ?? 0;
  return String.fromCharCode(id < firstUnprintableId ? byte : 0x100 + id - firstUnprintableId);
});
const byteOfCharacter = new Map(characterOfByte.map((character, byte) => [character, byte]));

/** Writes bytes in the alphabet, one character a byte. */
export function spellBytes(bytes: Iterable<number>): string {
  let spelling = "";
  for (const byte of bytes) spelling += characterOfByte[byte] ?? "";
  return spelling;
}

/** Reads bytes back from their spelling, or gives `undefined` when a character is not of the alphabet. */
export function readBytes(spelling: string): Uint8Array | undefined {
  const bytes = new Uint8Array(spelling.length);
  for (let i = 0; i < spelling.length; i++) {
    const byte = byteOfCharacter.get(spelling.charAt(i));
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
