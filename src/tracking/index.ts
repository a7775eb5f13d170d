import type { RunEvent } from "../trainers/index.ts";

/** Listens to the events of a run. Called in order and waited for by nobody: what takes long must be queued inside. */
export interface Tracker {
  event(event: RunEvent): void;
  /** Called once, after the last event, also when the run failed. */
  close(): void | Promise<void>;
}

export { ndjsonFile, ndjsonStream, readEvents, TrackingError } from "./ndjson.ts";
export { formatNextSteps, type NextSteps } from "./rows.ts";
export { sampleFiles } from "./samples.ts";
export { type TerminalOptions, terminal } from "./terminal.ts";
