import {
  closeSync,
  createReadStream,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
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
  return JSON.parse(line, (_, value: unknown) =>
    value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : value,
  ) as RunEvent;
}

/**
 * Appends every event to a file, one line and one write each, so that a crash of the process loses nothing and tears no
 * line. With each checkpoint the file is flushed to disk. A last line that an earlier crash of the machine tore is cut
 * off, because nothing could read it. A resumed run appends: the events of a step that was done twice are there twice,
 * and the later ones count.
 *
 * @throws {TrackingError} `TRACKING_WRITE`, also from `event`.
 */
export function ndjsonFile(path: string): Tracker {
  const guarded = <Result>(what: string, operation: () => Result): Result => {
    try {
      return operation();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TrackingError(
        "TRACKING_WRITE",
        `cannot ${what} ${path}: ${why}. Free some space, or check the folder's permissions`,
        { cause },
      );
    }
  };
  let file: number | undefined = guarded("open", () => {
    cutTornLine(path);
    return openSync(path, "a");
  });
  return {
    event(event) {
      const descriptor = file;
      if (descriptor === undefined) throw new TrackingError("TRACKING_WRITE", `${path} is closed`);
      guarded("write to", () => {
        writeSync(descriptor, `${eventLine(event)}\n`);
        if (event.type === "checkpoint" || event.type === "end") fsyncSync(descriptor);
      });
    },
    close() {
      const descriptor = file;
      file = undefined;
      if (descriptor !== undefined) guarded("close", () => closeSync(descriptor));
    },
  };
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

function cutTornLine(path: string): void {
  const file = openSync(path, "a+");
  try {
    const { size } = fstatSync(file);
    const start = lastLineStart(file, size);
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
