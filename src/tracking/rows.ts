import { flatValue } from "../metrics/index.ts";
import type {
  ComponentOrigin,
  DataSurvey,
  DiskUse,
  EvaluationEvent,
  MistakesEvent,
  ResumeEvent,
  RunChange,
  SampleEvent,
  StartEvent,
  StepEvent,
} from "../trainers/index.ts";
import type { Colors } from "./colors.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatMetric,
  formatRate,
  formatShare,
  formatShort,
  printable,
  wrap,
} from "./format.ts";
import { isMatrix, matrixLines } from "./matrix.ts";

/** What a row says beside its event. */
export interface RowContext {
  readonly maxSteps: number | undefined;
  readonly secondsLeft: number | undefined;
}

const gap = "  ";

/** `step  250/1000`, as wide at the first step as at the last. */
function stepCell(step: number, maxSteps: number | undefined): string {
  if (maxSteps === undefined) return `step ${String(step).padStart(6)}`;
  return `step ${String(step).padStart(String(maxSteps).length + 1)}/${maxSteps}`;
}

function leftCell(secondsLeft: number | undefined): string[] {
  return secondsLeft === undefined || secondsLeft <= 0
    ? []
    : [`${formatDuration(secondsLeft).padStart(6)} left`];
}

/** Which run begins, with which components, and where those come from. */
export function formatStart(
  { run, parameters, maxSteps, components, data, disk, notes = [] }: StartEvent,
  colors: Colors,
): string {
  const rows = components.map((component, index) => {
    const repeated = components[index - 1]?.kind === component.kind;
    return {
      kind: repeated ? "" : kindLabel(component, components),
      name: printable(component.name),
      note:
        component.kind === "model"
          ? `${formatCount(parameters)} parameters`
          : component.kind === "trainer" && maxSteps !== undefined
            ? `${formatCount(maxSteps)} ${maxSteps === 1 ? "step" : "steps"}`
            : "",
      origin: printable(component.origin),
    };
  });
  const width = (key: "kind" | "name" | "note"): number => Math.max(0, ...rows.map((row) => row[key].length));
  const widths = { kind: width("kind"), name: width("name"), note: width("note") };
  const lines = rows.map(({ kind, name, note, origin }) =>
    [
      "",
      colors.dim(kind.padEnd(widths.kind)),
      colors.bold(name.padEnd(widths.name)),
      note.padEnd(widths.note),
      colors.dim(origin),
    ].join(gap),
  );
  return [
    `${colors.bold(colors.cyan("codex-ml"))}${gap}${printable(run)}`,
    "",
    ...lines,
    "",
    ...(data === undefined ? [] : [formatSurvey(data, colors)]),
    ...(disk === undefined ? [] : [formatDisk(disk)]),
    ...notes.map(printable),
  ].join("\n");
}

/** The start of a run that goes on: as of a new one, then where from, and what is another. */
export function formatResume(event: ResumeEvent, colors: Colors): string {
  const { step, maxSteps, path, changes } = event;
  const of = maxSteps === undefined ? "" : ` of ${formatCount(maxSteps)}`;
  const from = path === undefined ? "" : ` from ${printable(path)}`;
  return [
    formatStart({ ...event, type: "start" }, colors).trimEnd(),
    "",
    `${colors.bold("going on")}${gap}at step ${formatCount(step)}${of}${from}`,
    ...changes.map((change) => `${colors.yellow("changed")} ${gap}${printable(formatChange(change))}`),
    "",
  ].join("\n");
}

/** `trainer.learningRate 0.001 → 0.0005` */
export function formatChange({ path, from, to }: RunChange): string {
  const show = (value: unknown): string => {
    if (typeof value !== "string") return value === undefined ? "(none)" : JSON.stringify(value);
    // Of a digest, the beginning says enough.
    return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : value;
  };
  return `${path} ${show(from)} → ${show(to)}`;
}

/** What checkpoints take. */
function formatDisk({ checkpoint, kept, needed }: DiskUse): string {
  return `${formatBytes(checkpoint)} a checkpoint; ${formatCount(kept)} kept and one being written: ${formatBytes(needed)} of disk to come`;
}

/** What training reads, cuts, leaves out and pads. */
export function formatSurvey(data: DataSurvey, colors: Colors): string {
  const { examples, complete, tokens, truncated, dropped, empty, padding } = data;
  const counted = (count: number, of = examples) => `${formatCount(count)} (${formatShare(count / of)})`;
  const all = tokens + truncated.tokens;
  const parts = [
    ...(truncated.examples > 0
      ? [
          `${counted(truncated.examples)} are cut to the sequence length and lose ${formatShare(truncated.tokens / all)} of all tokens`,
        ]
      : []),
    ...(dropped - empty > 0
      ? [`${counted(dropped - empty)} have no label that counts and are left out`]
      : []),
    ...(empty > 0 ? [`${counted(empty)} have nothing to read and are left out`] : []),
  ].map(colors.yellow);
  const read = complete ? "examples an epoch" : "examples, of which there are more, were looked at";
  return [
    `${formatCount(examples)} ${read}`,
    ...parts,
    ...(padding > 0 ? [`${formatShare(padding)} of a batch is padding`] : []),
  ].join("; ");
}

function kindLabel({ kind }: ComponentOrigin, components: readonly ComponentOrigin[]): string {
  const several = components.filter((other) => other.kind === kind).length > 1;
  return several ? `${kind}s` : kind;
}

/** A step on a line of its own. */
export function formatStep(event: StepEvent, { maxSteps, secondsLeft }: RowContext, colors: Colors): string {
  return [
    colors.dim(stepCell(event.step, maxSteps)),
    `loss ${formatLoss(event.loss)}`,
    colors.dim(`lr ${formatRate(event.learningRate)}`),
    colors.dim(`grad ${formatShort(event.gradientNorm).padStart(4)}`),
    colors.dim(`${formatShort(event.tokensPerSecond).padStart(5)} tok/s`),
    ...leftCell(secondsLeft).map(colors.dim),
  ].join(gap);
}

/** An evaluation, with the mean training loss since the one before. Speed and time left stand in the rows around it. */
export function formatEvaluation(
  event: EvaluationEvent,
  { maxSteps, trainLoss }: { readonly maxSteps: number | undefined; readonly trainLoss: number | undefined },
  colors: Colors,
): string {
  // Numbers with names of their own take a line each, and a matrix one a row.
  const metrics = Object.entries(event.metrics);
  const below = metrics.flatMap(([name, value]) => {
    if (typeof value === "number") return [];
    if (isMatrix(value)) return matrixLines(printable(name), value).map((line) => `${gap}${line}`);
    const parts = flatValue("", value).map(([part, number]) => `${part.slice(1)} ${formatShort(number)}`);
    return [`${gap}${colors.dim(printable(name))}${gap}${printable(parts.join(gap))}`];
  });
  const row = [
    colors.dim(stepCell(event.step, maxSteps)),
    ...(trainLoss === undefined ? [] : [`train ${formatLoss(trainLoss)}`]),
    colors.bold(`${event.split} ${formatLoss(event.loss)}`),
    ...metrics
      .flatMap(([name, value]) => (typeof value === "number" ? formatMetric(name, value) : []))
      .map(colors.green),
  ].join(gap);
  return [row, ...below].join("\n");
}

/** Text that the model wrote, set off from the numbers. */
export function formatSample({ prompt, text }: SampleEvent, columns: number, colors: Colors): string {
  const bar = `${gap}${colors.dim("│")} `;
  const shown = printable(prompt);
  const lines = wrap(shown + printable(text), Math.max(20, Math.min(columns, 110) - 5));
  const most = 8;
  const kept = lines.length > most ? [...lines.slice(0, most), "…"] : lines;
  return kept
    .map((line, index) => {
      const given = index === 0 && line.startsWith(shown) ? shown.length : 0;
      return `${bar}${colors.dim(line.slice(0, given))}${colors.italic(line.slice(given))}`;
    })
    .join("\n");
}

/** What a classifier got most wrong: the text, what it is, and what it was taken for. */
export function formatMistakes({ mistakes }: MistakesEvent, columns: number, colors: Colors): string {
  const blocks = mistakes.map(({ text, expected, predicted, probability }) => {
    const classes = `${names(expected)}, taken for ${names(predicted)}`;
    const certainty = `(${formatShare(probability)} for ${names(expected)})`;
    const heading = `${gap}${colors.yellow(printable(classes))} ${colors.dim(certainty)}`;
    const lines = wrap(printable(text).replaceAll(/\s+/g, " "), Math.max(20, Math.min(columns, 110) - 5));
    const shown = lines.length > 3 ? [...lines.slice(0, 3), "…"] : lines;
    return [heading, ...shown.map((line) => `${gap}${colors.dim("│")} ${line}`)].join("\n");
  });
  return [colors.bold("hardest mistakes"), ...blocks].join("\n");
}

function names(classes: readonly string[]): string {
  return classes.length === 0 ? "no class" : classes.join(", ");
}

/** What the lines that are redrawn say of a run. */
export interface LiveState extends RowContext {
  readonly step: number;
  /** Smoothed. */
  readonly loss: number;
  readonly learningRate: number;
  readonly tokensPerSecond: number;
  readonly evaluation?: Pick<EvaluationEvent, "split" | "loss"> | undefined;
  /** Memory of the process, in bytes. */
  readonly rss?: number | undefined;
}

/**
 * The two lines that are redrawn: how far, and how well. Each is cut to fewer than `columns` characters, for a terminal would wrap
 * it. What matters least goes first: the bar's length, the bar, the share; memory, the learning rate, the speed.
 */
export function formatLive(state: LiveState, columns: number, colors: Colors): string[] {
  const { step, maxSteps, secondsLeft, loss, learningRate, tokensPerSecond, evaluation, rss } = state;
  const far: Cell[] = [
    { text: stepCell(step, maxSteps), style: colors.bold, rank: 0 },
    ...(maxSteps === undefined ? [] : [{ text: formatDone(step / maxSteps), style: plain, rank: 2 }]),
    ...leftCell(secondsLeft).map((text) => ({ text, style: colors.dim, rank: 1 })),
  ];
  const well: Cell[] = [
    { text: `loss ${formatLoss(loss)}`, style: plain, rank: 0 },
    ...(evaluation === undefined
      ? []
      : [{ text: `${evaluation.split} ${formatLoss(evaluation.loss)}`, style: colors.green, rank: 1 }]),
    { text: `lr ${formatRate(learningRate)}`, style: colors.dim, rank: 3 },
    { text: `${formatShort(tokensPerSecond).padStart(5)} tok/s`, style: colors.dim, rank: 2 },
    ...(rss === undefined ? [] : [{ text: `${formatShort(rss)}B`, style: colors.dim, rank: 4 }]),
  ];
  const shown = fitting(far, columns);
  const room = Math.min(24, columns - 1 - widthOf(shown) - gap.length);
  const first = shown.map(({ text, style }) => style(text));
  if (maxSteps !== undefined && room >= 8) first.splice(1, 0, formatBar(step / maxSteps, room, colors));
  return [
    first.join(gap),
    fitting(well, columns)
      .map(({ text, style }) => style(text))
      .join(gap),
  ];
}

interface Cell {
  readonly text: string;
  readonly style: (text: string) => string;
  /** What may go first has the highest. */
  readonly rank: number;
}

/** The cells that fit into fewer than `columns` characters; what cannot go is cut. */
function fitting(cells: readonly Cell[], columns: number): Cell[] {
  const kept = [...cells];
  while (widthOf(kept) >= columns) {
    const least = kept.reduce((worst, cell) => (cell.rank > worst.rank ? cell : worst));
    if (least.rank === 0) return [{ ...least, text: least.text.slice(0, Math.max(0, columns - 1)) }];
    kept.splice(kept.indexOf(least), 1);
  }
  return kept;
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { text }) => sum + text.length + gap.length, -gap.length);
}

/** ` 25%`; rounded down: 100% means done. */
function formatDone(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)}%`.padStart(4);
}

function plain(text: string): string {
  return text;
}

function formatBar(share: number, width: number, colors: Colors): string {
  // Rounded down: full means done.
  const done = Math.floor(Math.min(1, Math.max(0, share)) * width);
  return `${colors.cyan("━".repeat(done))}${colors.dim("─".repeat(width - done))}`;
}

export interface NextSteps {
  /** The run directory, as the user would type it. */
  readonly directory: string;
  /** What to continue with in the example. */
  readonly prompt?: string | undefined;
  /** Whether its model writes text. Default true. */
  readonly generates?: boolean;
  /** Whether it was stopped before its end. */
  readonly interrupted?: boolean;
}

/** Where the run lies and what can be done with it, as commands to copy. */
export function formatNextSteps(
  { directory, prompt = "The ", generates = true, interrupted = false }: NextSteps,
  colors: Colors,
): string {
  const path = shellQuote(directory);
  const commands = [
    ...(interrupted ? [["go on", `npx codex-ml resume ${path}`]] : []),
    ...(generates ? [["generate", `npx codex-ml generate ${path} --prompt ${shellQuote(prompt)}`]] : []),
    ["evaluate", `npx codex-ml evaluate ${path}`],
  ];
  return [
    `${colors.bold("run")}${gap}${directory}`,
    "",
    ...commands.map(([what = "", command = ""]) => `${gap}${colors.dim(what.padEnd(8))}${gap}${command}`),
    "",
  ].join("\n");
}

/** In double quotes where those suffice, for they work in every shell. */
function shellQuote(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : `"${text}"`;
}
