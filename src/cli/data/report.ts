import type { LengthSummary } from "../../run/data-lengths.ts";
import type { DataInspection } from "../../run/inspect-data.ts";
import type { SplitSummary } from "../../run/inspect-split.ts";
import { colorsFor } from "../../tracking/colors.ts";
import { formatCount, formatShare, printable } from "../../tracking/format.ts";
import { formatExamples } from "./examples.ts";

/** What was found in the data, for people. */
export function formatInspection(inspection: DataInspection): string {
  const { task, sequenceLength, vocabSize, limit, splits, notes } = inspection;
  const colors = colorsFor(process.stdout);
  const heading = `${task}, ${formatCount(vocabSize)} ids in the vocabulary, rows of ${formatCount(sequenceLength)}`;
  const blocks = [
    heading,
    ...splits.map((summary) => formatSplit(summary, splits[0]?.duplicates.complete !== false, limit)),
    ...formatExamples(inspection),
    ...(notes.length > 0
      ? [notes.map((note) => `${colors.yellow("note")}  ${printable(note)}`).join("\n")]
      : []),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function formatSplit(summary: SplitSummary, isTrainWhole: boolean, limit: number): string {
  const { split, examples, complete, tokens, labels, lengths, truncated, dropped, padding, unknown } =
    summary;
  const colors = colorsFor(process.stdout);
  const facts: (readonly [name: string, value: string, isBad?: boolean])[] = [
    ["tokens", `${formatCount(tokens)}, and ${plural(labels, "label that counts", "labels that count")}`],
    ...(lengths === undefined ? [] : lengthFacts(lengths)),
    ["truncated", truncatedFact(summary), truncated.examples > 0],
    ["dropped", droppedFact(summary), dropped > 0],
    ...(padding === undefined ? [] : [["padding", `${formatShare(padding)} of a batch`] as const]),
    ["duplicates", duplicateFact(summary), summary.duplicates.repeats > 0],
    ...overlapFacts(summary, isTrainWhole),
    ...(unknown === undefined
      ? []
      : [["unknown", `${part(unknown, tokens)} of the tokens`, unknown > 0] as const]),
    ...classFacts(summary),
  ];
  const reach = complete ? "" : ` looked at, and there are more (--limit ${limit})`;
  const title = `${colors.bold(split)}: ${plural(examples, "example")}${reach}`;
  const lines = facts.map(
    ([name, value, isBad]) => `  ${colors.dim(name.padEnd(10))}  ${isBad ? colors.yellow(value) : value}`,
  );
  return [title, ...lines].join("\n");
}

function truncatedFact({ truncated, examples, tokens }: SplitSummary): string {
  const { examples: cut, tokens: lost } = truncated;
  return cut === 0 ? "0" : `${part(cut, examples)}, which lose ${part(lost, tokens + lost)} of all tokens`;
}

function droppedFact({ dropped, empty, examples }: SplitSummary): string {
  if (dropped === 0) return "0";
  const why = empty === 0 ? "" : `; ${empty === dropped ? "they" : formatCount(empty)} have nothing to read`;
  return `${part(dropped, examples)}: no label counts${why}`;
}

/** Columns of the longest bar. */
const BAR = 40;

function lengthFacts(lengths: LengthSummary): (readonly [string, string])[] {
  const { min, p5, median, p95, max, mean, histogram } = lengths;
  const text = `min ${min}, 5% ${p5}, median ${median}, 95% ${p95}, max ${max}, mean ${mean.toFixed(1)}`;
  if (min === max) return [["length", `all ${formatCount(min)}`]];
  const most = Math.max(...histogram.map(({ count }) => count));
  const width = String(max).length;
  const rows = histogram.map(({ from, to, count }) => {
    const bar = "█".repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * BAR)));
    const range = from === to ? "".padStart(width + 1) : `–${String(to).padEnd(width)}`;
    return `${String(from).padStart(width)}${range}  ${bar}${bar === "" ? "" : " "}${formatCount(count)}`;
  });
  return [["length", text], ...rows.map((row) => ["", row] as const)];
}

function duplicateFact({ duplicates }: SplitSummary): string {
  const { of, what, repeats, conflicting, mostFrequent, complete } = duplicates;
  const among = what === "texts" ? ` of ${complete ? "" : "the first "}${plural(of, "text")}` : "";
  if (repeats === 0) return `0${among}`;
  const clash =
    conflicting === 0 ? "" : `; ${plural(conflicting, "text")} with labels that contradict each other`;
  const most =
    mostFrequent === undefined
      ? ""
      : `; most often, ${formatCount(mostFrequent.times)} times: ${quoted(mostFrequent.text)}`;
  return `${part(repeats, of)}${among} repeat an earlier one${clash}${most}`;
}

function overlapFacts(
  { overlap, duplicates }: SplitSummary,
  isTrainWhole: boolean,
): (readonly [string, string, boolean])[] {
  if (overlap === undefined) return [];
  const { found, of, against, example } = overlap;
  const which = example === undefined ? "" : `: ${quoted(example)}`;
  const where = isTrainWhole ? "train" : `the first ${formatCount(against)} of train`;
  const count = `${part(found, of)} of the ${duplicates.what}`;
  return [["overlap", `${count} ${found === 1 ? "is" : "are"} in ${where}, too${which}`, found > 0]];
}

function classFacts({ classes = [], examples }: SplitSummary): (readonly [string, string, boolean])[] {
  const width = Math.max(0, ...classes.map(({ name }) => printable(name).length));
  return classes.map(({ name, examples: count }, at) => [
    at === 0 ? "classes" : "",
    `${printable(name).padEnd(width)}  ${part(count, examples)}`,
    count === 0,
  ]);
}

/** `12 (3.4%)` */
function part(count: number, of: number): string {
  return of === 0 || count === 0 ? formatCount(count) : `${formatCount(count)} (${formatShare(count / of)})`;
}

function quoted(text: string): string {
  const line = printable(text).replaceAll(/\s+/g, " ").trim();
  return `"${line.length > 60 ? `${line.slice(0, 59)}…` : line}"`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
