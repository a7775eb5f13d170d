export { colorsFor } from "./colors.ts";
export { formatEvaluationTable, formatScoresTable } from "./evaluation-table.ts";
export {
  eventLine,
  jsonLine,
  lastEvent,
  type NdjsonFile,
  ndjsonFile,
  ndjsonStream,
  readEvents,
  TrackingError,
} from "./ndjson.ts";
export { formatChange, formatNextSteps, type NextSteps } from "./rows.ts";
export { sampleFiles } from "./samples.ts";
export { SystemMonitor } from "./system.ts";
export { hasEventFiles, tensorBoard } from "./tensorboard.ts";
export { type Display, type TerminalOptions, terminal } from "./terminal.ts";
export type { Tracker } from "./tracker.ts";
