/**
 * Pieces that stand for one byte each, `<0x00>` to `<0xFF>`, as SentencePiece and Hugging Face's libraries spell them: what a
 * vocabulary has no piece for is written with these (byte fallback).
 */
export const bytePieces: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);

/** The characters that byte pieces are spelt with. */
export const bytePieceCharacters: readonly string[] = [...new Set(bytePieces.join(""))];

const byteOfPiece = new Map(bytePieces.map((piece, byte) => [piece, byte]));

/** The byte that a piece stands for, if it does. */
export function byteOf(piece: string): number | undefined {
  return byteOfPiece.get(piece);
}

/** Whether Hugging Face's decoder would take a piece for a byte; it reads more spellings than it writes. */
export function looksLikeByte(piece: string): boolean {
  return /^<0x[\dA-Fa-f+][\dA-Fa-f]>$/.test(piece);
}

/**
 * The texts of tokens, where bytes side by side are the characters that they are in UTF-8. If they are none, each is U+FFFD, as in
 * Hugging Face's decoder.
 */
export function joinedWithBytes(parts: readonly (string | number)[]): string {
  let text = "";
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    const buffer = Buffer.from(bytes);
    const characters = buffer.toString("utf8");
    text += Buffer.from(characters, "utf8").equals(buffer) ? characters : "\uFFFD".repeat(bytes.length);
    bytes = [];
  };
  for (const part of parts) {
    if (typeof part === "number") bytes.push(part);
    else {
      flush();
      text += part;
    }
  }
  flush();
  return text;
}
