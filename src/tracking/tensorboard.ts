import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { flatValue } from "../metrics/index.ts";
import type { RunEvent } from "../trainers/index.ts";
import { restartRecord, scalar, summaryRecord, text, versionRecord } from "./event-file.ts";
import type { Summary_Value } from "./gen/tensorboard_pb.ts";
import { isMatrix } from "./matrix.ts";
import { cannotWrite } from "./ndjson.ts";
import type { Tracker } from "./tracker.ts";

export interface TensorBoardOptions {
  /** Milliseconds since 1970. TensorBoard shows it beside the steps, and nothing depends on it. */
  readonly now?: () => number;
  readonly host?: string;
  readonly pid?: number;
}

const pattern = /^events\.out\.tfevents\.(\d+)\./;

/** Whether a folder has event files. */
export function hasEventFiles(folder: string): boolean {
  return newest(folder) > 0;
}

/**
 * Writes what TensorBoard shows (`tensorboard --logdir runs`) into a file `events.out.tfevents.*` of the run directory: each number
 * of a step, of evaluations and of the system as a scalar, and samples as texts. One record and one write an event.
 *
 * A run that goes on adds a file, since TensorBoard may be reading the one before; its first record voids the steps that come
 * again. Files are read in the order of their names, so the time in the name goes up even where the clock went back.
 *
 * @throws {TrackingError} `TRACKING_WRITE`, from `event`.
 */
export function tensorBoard(
  folder: string,
  { now = Date.now, host = hostname(), pid = process.pid }: TensorBoardOptions = {},
): Tracker {
  let path = folder;
  let file: number | undefined;
  const open = (firstStep: number) => {
    const before = newest(folder);
    const seconds = Math.max(Math.floor(now() / 1000), before + 1);
    path = join(folder, `events.out.tfevents.${String(seconds).padStart(10, "0")}.${host}.${pid}`);
    file = openSync(path, "ax");
    write(versionRecord(now() / 1000));
    if (before > 0) write(restartRecord(now() / 1000, firstStep));
  };
  const write = (bytes: Uint8Array) => {
    for (let done = 0; file !== undefined && done < bytes.length; )
      done += writeSync(file, bytes, done, bytes.length - done);
  };
  return {
    event(event) {
      try {
        if (event.type === "start" || event.type === "resume")
          open(event.type === "resume" ? event.step + 1 : 0);
        else if ("step" in event && file !== undefined) {
          const values = summaryOf(event);
          if (values.length > 0) write(summaryRecord(now() / 1000, event.step, values));
        }
      } catch (cause) {
        throw cannotWrite("write to", path, cause);
      }
    },
    close() {
      const descriptor = file;
      file = undefined;
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

/** The time in the name of the newest event file; 0 where there is none. */
function newest(folder: string): number {
  return readdirSync(folder).reduce((most, name) => Math.max(most, Number(pattern.exec(name)?.[1] ?? 0)), 0);
}

function summaryOf(event: RunEvent): Summary_Value[] {
  switch (event.type) {
    case "step": {
      const { loss, learningRate, gradientNorm, tokensPerSecond, seconds } = event;
      return [
        scalar("train/loss", loss),
        scalar("train/learning_rate", learningRate),
        scalar("train/grad_norm", gradientNorm),
        scalar("train/tokens_per_second", tokensPerSecond),
        ...Object.entries(seconds ?? {}).map(([what, value]: [string, number]) =>
          scalar(`seconds/${snakeCase(what)}`, value),
        ),
      ];
    }
    case "evaluation": {
      // A matrix is a table, not a curve for each of its cells.
      const metrics = Object.entries(event.metrics).flatMap(([name, value]) =>
        isMatrix(value) ? [] : flatValue(name, value),
      );
      return [["loss", event.loss] as const, ...metrics].map(([name, value]) =>
        scalar(`${event.split}/${name}`, value),
      );
    }
    case "system": {
      const { type: _, step: __, ...numbers } = event;
      return Object.entries(numbers).map(([what, value]) => scalar(`system/${snakeCase(what)}`, value));
    }
    case "sample":
      return [text("sample", asCode(event.prompt + event.text))];
    default:
      return [];
  }
}

/** Of TensorBoard's tags. */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a model wrote, as Markdown that shows it as it is. */
function asCode(written: string): string {
  return written.replaceAll(/^/gm, "    ");
}
