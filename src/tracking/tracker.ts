import type { RunEvent } from "../trainers/index.ts";

/** Listens to the events of a run. Called in order and waited for by nobody: what takes long must be queued inside. */
export interface Tracker {
  event(event: RunEvent): void;
  /** Called once, after the last event, also when the run failed. */
  close(): void | Promise<void>;
}
