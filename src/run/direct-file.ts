import { constants, type FileHandle, open } from "node:fs/promises";
import { alignedMemory, isAligned } from "../runtime/index.ts";

/** What is gathered before it goes to the disk: small enough to stay in the processor's cache until then. */
const pieceBytes = 4 * 1024 * 1024;

/** Address, position and length of what bypasses the page cache are multiples of this on the disks in use. */
export const blockBytes = 4096;

/** Less than this is not worth a call of its own past the page cache. */
const directBytes = 1024 * 1024;

/** Memory that waits for the next file. */
const spare: Uint8Array[] = [];

const borrow = (): Uint8Array => spare.pop() ?? alignedMemory(pieceBytes, blockBytes);

/** A file being written. */
export interface WritableFile {
  /** Appends all of `bytes`. They must stay as they are until the next `sync`; an error of the disk may come with a later call. */
  write(bytes: Uint8Array): Promise<void>;
  /** Flushes what was written to the disk itself. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Creates a file that must not exist yet, to be written from front to back. Whole pieces go to the disk past the page cache
 * where the system and the file system can do that: what a checkpoint holds is not read again soon, and copying it into the
 * cache costs more processor time than all the rest of a save. Memory whose address, counted in blocks, fits its place in the file
 * is written from where it is; the rest is gathered into pieces that fit. While one is being written, the next is made ready.
 */
export async function createFile(path: string): Promise<WritableFile> {
  const file = await open(path, "wx");
  const pieces = [borrow(), borrow()];
  let direct: FileHandle | undefined;
  let isDirectTried = false;
  let turn = 0;
  let filled = 0;
  let position = 0;
  let writing: Promise<void> = Promise.resolve();

  const put = async (bytes: Uint8Array, at: number): Promise<void> => {
    const fits = bytes.length >= directBytes && bytes.length % blockBytes === 0 && at % blockBytes === 0;
    if (fits && !isDirectTried) {
      isDirectTried = true;
      direct = await openDirect(path, constants.O_WRONLY);
    }
    if (direct !== undefined && fits)
      try {
        return await writeFully(direct, bytes, at);
      } catch (error) {
        if (!isRefused(error)) throw error;
        const refused = direct;
        direct = undefined;
        await refused.close();
      }
    await writeFully(file, bytes, at);
  };
  /** Sends bytes on their way, once those before are written. */
  const begin = async (bytes: Uint8Array): Promise<void> => {
    await writing;
    writing = put(bytes, position);
    // Whoever calls next is told.
    writing.catch(() => {});
    position += bytes.length;
  };
  /** Sends what was gathered. */
  const send = async (): Promise<void> => {
    if (filled === 0) return;
    await begin((pieces[turn] as Uint8Array).subarray(0, filled));
    filled = 0;
    turn = 1 - turn;
  };
  const gather = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + pieceBytes - filled);
      pieces[turn]?.set(part, filled);
      filled += part.length;
      done += part.length;
      if (filled === pieceBytes) await send();
    }
  };
  return {
    write: async (bytes) => {
      const [from, to] = fittingPart(bytes, position + filled);
      await gather(bytes.subarray(0, from));
      if (from < to) {
        await send();
        await begin(bytes.subarray(from, to));
      }
      await gather(bytes.subarray(to));
    },
    sync: async () => {
      await send();
      await writing;
      await file.sync();
    },
    close: async () => {
      try {
        await send();
        await writing;
      } finally {
        await direct?.close();
        await file.close();
        // Given back once, should someone close twice.
        spare.push(...pieces.splice(0));
      }
    },
  };
}

/** What of `bytes` can be written from where it is, when the first of them belongs at `position`; empty when it is not worth it. */
function fittingPart(bytes: Uint8Array, position: number): readonly [from: number, to: number] {
  const from = (blockBytes - (position % blockBytes)) % blockBytes;
  const length = bytes.length - from;
  const fits = length >= directBytes && isAligned(bytes.subarray(from), blockBytes);
  return fits ? [from, bytes.length - (length % blockBytes)] : [bytes.length, bytes.length];
}

/**
 * Compares a file with what was written into it, from the disk itself where the page cache can be passed by.
 *
 * @throws Error saying where the first difference is.
 */
export async function compareFile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const file = (await openDirect(path, constants.O_RDONLY)) ?? (await open(path, "r"));
  const pieces = [borrow(), borrow()] as const;
  let reading = readPiece(file, pieces[0], 0);
  try {
    const expected = chunks[Symbol.iterator]();
    let chunk: Uint8Array = new Uint8Array(0);
    for (let turn = 0, position = 0; ; turn = 1 - turn) {
      const piece = (pieces[turn] as Uint8Array).subarray(0, await reading);
      const isLast = piece.length < pieceBytes;
      if (!isLast) {
        reading = readPiece(file, pieces[1 - turn] as Uint8Array, position + pieceBytes);
        reading.catch(() => {});
      }
      for (let done = 0; done < piece.length; ) {
        while (chunk.length === 0) {
          const next = expected.next();
          if (next.done) throw new Error(`has more than the ${position + done} bytes that were written`);
          chunk = next.value;
        }
        const length = Math.min(chunk.length, piece.length - done);
        if (!sameBytes(chunk.subarray(0, length), piece.subarray(done, done + length)))
          throw new Error(
            `does not hold what was written, somewhere in bytes ${position + done} to ${position + done + length}`,
          );
        chunk = chunk.subarray(length);
        done += length;
      }
      position += piece.length;
      if (!isLast) continue;
      if (chunk.length > 0 || !isOver(expected))
        throw new Error(`ends after ${position} bytes; more were written`);
      return;
    }
  } finally {
    // The system may still be writing into a piece.
    await reading.catch(() => {});
    await file.close();
    spare.push(...pieces);
  }
}

/** Undefined where the platform or the file system has no way past the page cache. */
async function openDirect(path: string, flags: number): Promise<FileHandle | undefined> {
  // Linux alone has the flag; Node leaves it out elsewhere.
  const direct: number | undefined = constants.O_DIRECT;
  if (direct === undefined) return undefined;
  try {
    return await open(path, flags | direct);
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

function isRefused(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && (error.code === "EINVAL" || error.code === "EOPNOTSUPP")
  );
}

async function writeFully(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

/** Reads until the piece is full or the file ends, and gives how much that was. */
async function readPiece(file: FileHandle, piece: Uint8Array, at: number): Promise<number> {
  let done = 0;
  while (done < piece.length) {
    const { bytesRead } = await file.read(piece, done, piece.length - done, at + done);
    done += bytesRead;
    // Only the end of a file gives less than a block.
    if (bytesRead === 0 || bytesRead % blockBytes !== 0) break;
  }
  return done;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isOver(chunks: Iterator<Uint8Array>): boolean {
  for (let next = chunks.next(); !next.done; next = chunks.next()) if (next.value.length > 0) return false;
  return true;
}
