import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TrackingError } from "./ndjson.ts";
import type { Tracker } from "./tracker.ts";

/**
 * Keeps the text that the model writes along the way: `samples/step-000250.txt`, prompt and continuation as one text.
 *
 * @param folder The run's `samples` folder; made when there is something to put in it.
 */
export function sampleFiles(folder: string): Tracker {
  return {
    event(event) {
      if (event.type !== "sample") return;
      const path = join(folder, `step-${String(event.step).padStart(6, "0")}.txt`);
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(path, `${event.prompt}${event.text}\n`);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new TrackingError("TRACKING_WRITE", `cannot write ${path}: ${why}`, { cause });
      }
    },
    close() {},
  };
}
