import { flatValue, type MetricValue } from "../metrics/index.ts";
import type { EvaluationEvent } from "../trainers/index.ts";
import { formatCount, formatDuration } from "./format.ts";
import { isMatrix, matrixLines } from "./matrix.ts";

/**
 * An evaluation by itself: a name and its number a line, with the digits that comparing two runs needs.
 *
 * @param data What was evaluated on, where that is not a split of the run's data.
 */
export function formatEvaluationTable(event: EvaluationEvent, data?: string): string {
  const { step, split, loss, metrics, tokens, seconds } = event;
  const where = data ?? `${split} split`;
  return `${where}, after step ${formatCount(step)}: ${formatCount(tokens)} tokens in ${seconds < 10 ? `${seconds.toFixed(1)}s` : formatDuration(seconds)}\n\n${table({ loss, ...metrics })}\n`;
}

/** Files that were scored: the same table. */
export function formatScoresTable(scores: {
  readonly predictions: string;
  readonly references?: string;
  readonly examples: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
}): string {
  const { predictions, references, examples, metrics } = scores;
  const against = references === undefined ? "" : ` against ${references}`;
  return `${predictions}${against}: ${formatCount(examples)} ${examples === 1 ? "example" : "examples"}\n\n${table(metrics)}\n`;
}

function table(metrics: Readonly<Record<string, MetricValue>>): string {
  const matrices = Object.entries(metrics).flatMap(([name, value]) =>
    isMatrix(value) ? ["", ...matrixLines(name, value).map((line) => `  ${line}`)] : [],
  );
  const rows = Object.entries(metrics)
    .filter(([, value]) => !isMatrix(value))
    .flatMap(([metric, value]) => flatValue(metric, value))
    .map(([name, number]) => [name, digits(number)] as const);
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const lines = rows.map(([name, number]) => `  ${name.padEnd(width)}  ${number.padStart(9)}`);
  return [...lines, ...(lines.length === 0 ? matrices.slice(1) : matrices)].join("\n");
}

function digits(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : String(value);
}
