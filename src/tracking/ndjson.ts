import {
  closeSync,
  createReadStream,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import type { RunEvent } from "../trainers/index.ts";
import type { Tracker } from "./tracker.ts";

/** Events that could not be written, or a file of events that cannot be read. */
export class TrackingError extends Error {
  readonly code: "TRACKING_WRITE" | "TRACKING_READ";
  constructor(code: TrackingError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TrackingError";
    this.code = code;
  }
}

/**
 * An event as one line of JSON, without the line break.
 *
 * JSON has no NaN and no infinity, and `null` would not say which of them it was: they are written as the strings
 * `"NaN"`, `"Infinity"` and `"-Infinity"`, which Python's `float()` and JavaScript's `Number()` read back.
 */
export function eventLine(event: RunEvent): string {
  return jsonLine(event);
}

/** The same of anything else that holds numbers. */
export function jsonLine(value: object): string {
  return JSON.stringify(value, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
}

/** The inverse of {@link eventLine}. Numbers occur only in the events revived here, and no text does in those. */
export function parseEventLine(line: string): RunEvent {
  const event = JSON.parse(line) as RunEvent;
  if (event.type !== "step" && event.type !== "evaluation") return event;
  // Asked first, for reviving takes several times as long as parsing, and a file may have millions of lines.
  if (!/"(?:NaN|-?Infinity)"/.test(line)) return event;
  return JSON.parse(line, (_, value: unknown) =>
    value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : value,
  ) as RunEvent;
}

/** The events of a run in a file. */
export interface NdjsonFile extends Tracker {
  /** Bytes written so far, with what was there before. */
  readonly size: number;
  /** Flushes what was written to the disk itself. */
  flush(): Promise<void>;
}

/**
 * Appends every event to a file, one line and one write each, so that a crash of the process loses nothing and tears no
 * line. With each checkpoint the file is flushed to disk. A last line that an earlier crash of the machine tore is cut
 * off, because nothing could read it. A resumed run gives the `length` that the file had at its checkpoint: what lies behind
 * is cut off, since it comes again. The event `resume` is left out: the file reads as that of one run.
 *
 * @throws {TrackingError} `TRACKING_WRITE`, also from `event`.
 */
export function ndjsonFile(path: string, { length }: { readonly length?: number } = {}): NdjsonFile {
  const guarded = <Result>(what: string, operation: () => Result): Result => {
    try {
      return operation();
    } catch (cause) {
      throw cannotWrite(what, path, cause);
    }
  };
  let size = 0;
  let file: number | undefined = guarded("open", () => {
    cutLines(path, length);
    const descriptor = openSync(path, "a");
    size = fstatSync(descriptor).size;
    return descriptor;
  });
  return {
    get size() {
      return size;
    },
    event(event) {
      const descriptor = file;
      if (descriptor === undefined) throw new TrackingError("TRACKING_WRITE", `${path} is closed`);
      if (event.type === "resume") return;
      guarded("write to", () => {
        size += writeAll(descriptor, Buffer.from(`${eventLine(event)}\n`));
        if (event.type === "checkpoint" || event.type === "end") fsyncSync(descriptor);
      });
    },
    async flush() {
      const descriptor = file;
      if (descriptor === undefined) return;
      try {
        await promisify(fsync)(descriptor);
      } catch (cause) {
        throw cannotWrite("flush", path, cause);
      }
    },
    close() {
      const descriptor = file;
      file = undefined;
      if (descriptor !== undefined) guarded("close", () => closeSync(descriptor));
    },
  };
}

export function cannotWrite(what: string, path: string, cause: unknown): TrackingError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TrackingError(
    "TRACKING_WRITE",
    `cannot ${what} ${path}: ${why}. Free some space, or check the folder's permissions`,
    { cause },
  );
}

/** A disk that is nearly full takes a part of a line, and says so only when asked for the rest. */
function writeAll(descriptor: number, bytes: Uint8Array): number {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done);
  return bytes.length;
}

/** Writes every event to a stream, one line and one write each: what `--json` does with stdout. */
export function ndjsonStream(stream: { write(text: string): unknown }): Tracker {
  return {
    event: (event) => {
      stream.write(`${eventLine(event)}\n`);
    },
    close: () => {},
  };
}

/**
 * Reads the events of a file in order. A last line without its line break was torn by a crash and is left out.
 *
 * @throws {TrackingError} `TRACKING_READ`, with the number of the line that is no event.
 */
export async function* readEvents(path: string): AsyncGenerator<RunEvent> {
  let number = 0;
  for await (const line of wholeLines(path)) {
    number++;
    if (line === "") continue;
    let event: RunEvent;
    try {
      event = parseEventLine(line);
      if (typeof event !== "object" || event === null || typeof event.type !== "string")
        throw new TypeError("not an event: it has no `type`");
    } catch (cause) {
      throw new TrackingError("TRACKING_READ", `${path}:${number}: ${String(cause)}`, { cause });
    }
    yield event;
  }
}

/** The last whole event of a file; undefined when there is none, or it is longer than events that end a run are. */
export function lastEvent(path: string): RunEvent | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const end = lastLineStart(file, fstatSync(file).size);
    const tail = new Uint8Array(Math.min(end, 64 * 1024));
    const read = readSync(file, tail, 0, tail.length, end - tail.length);
    const line = Buffer.from(tail.subarray(0, read)).toString("utf8").split("\n").at(-2);
    return line === undefined || line === "" ? undefined : parseEventLine(line);
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** The lines that end in a line break. */
async function* wholeLines(path: string): AsyncGenerator<string> {
  let rest = "";
  try {
    for await (const chunk of createReadStream(path, "utf8")) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (cause) {
    throw new TrackingError("TRACKING_READ", `cannot read ${path}: ${String(cause)}`, { cause });
  }
}

/** Cuts a file to at most `length` bytes, and then to its last whole line. */
function cutLines(path: string, length = Number.POSITIVE_INFINITY): void {
  const file = openSync(path, "a+");
  try {
    const { size } = fstatSync(file);
    const start = lastLineStart(file, Math.min(size, length));
    if (start !== size) ftruncateSync(file, start);
  } finally {
    closeSync(file);
  }
}

/** Offset after the last line break; the size itself when the file ends in one. */
function lastLineStart(file: number, size: number): number {
  const chunk = new Uint8Array(64 * 1024);
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - chunk.length);
    const read = readSync(file, chunk, 0, end - begin, begin);
    const newline = chunk.lastIndexOf(0x0a, read - 1);
    if (newline !== -1 && newline < read) return begin + newline + 1;
    end = begin;
  }
  return 0;
}
