import { flatValue } from "../metrics/index.ts";
import type { EvaluationEvent } from "../trainers/index.ts";
import { formatCount, formatDuration } from "./format.ts";

/**
 * An evaluation by itself: a name and its number a line, with the digits that comparing two runs needs.
 *
 * @param data What was evaluated on, where that is not a split of the run's data.
 */
export function formatEvaluationTable(event: EvaluationEvent, data?: string): string {
  const { step, split, loss, metrics, tokens, seconds } = event;
  const rows: [string, string][] = [["loss", digits(loss)]];
  for (const [metric, value] of Object.entries(metrics))
    for (const [name, number] of flatValue(metric, value)) rows.push([name, digits(number)]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, number]) => `  ${name.padEnd(width)}  ${number.padStart(9)}`);
  const where = data ?? `${split} split`;
  return `${where}, after step ${formatCount(step)}: ${formatCount(tokens)} tokens in ${seconds < 10 ? `${seconds.toFixed(1)}s` : formatDuration(seconds)}\n\n${lines.join("\n")}\n`;
}

function digits(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : String(value);
}
