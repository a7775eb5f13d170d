import type { ProfileEvent } from "../trainers/index.ts";
import type { Colors } from "./colors.ts";
import { formatBytes, formatCount, formatShare, printable } from "./format.ts";
import { table } from "./table.ts";

type Row = ProfileEvent["profile"]["parts"][number];

/** What is shown of operators, and of all; the rest is one row. `profile.json` has everything. */
const MOST_OPERATORS = 16;
const LEAST_SHARE = 0.001;

/** Where the time went: an account of a step, then by part of the model and by operator, then what it means for the machine. */
export function formatProfile({ profile, path, seconds }: ProfileEvent, colors: Colors): string {
  const { window, overhead, milliseconds, time, compute, memory } = profile;
  const to = window.from + window.steps - 1;
  const which = window.steps === 1 ? `step ${window.from}` : `steps ${window.from} to ${to}`;
  const outside = time.outside + time.compiling + time.data + time.betweenUpdates;
  const account = [
    ["forward", time.forward],
    ["backward", time.backward],
    ["computed again", time.recomputation],
    ["update", time.update],
    ["nodes made by the library", time.library],
    ["library, between nodes", time.betweenNodes],
    ["outside the library", time.outside + time.betweenUpdates],
    ["building graphs", time.compiling],
    ["waiting for data", time.data],
  ] as const;
  const again = compute.recomputedGigaflops;
  const lines = [
    `${colors.bold("profile")}  ${which}: ${formatMilliseconds(milliseconds)} ms a step, of which ${formatMilliseconds(outside)} ms (${formatShare(outside / milliseconds)}) outside the library`,
    `         ${formatOverhead(overhead)}`,
    "",
    ...table(
      ["a step", "ms", "share"],
      account
        .filter(([name, spent]) => spent > 0 || name === "forward")
        .map(([name, spent]) => [name, formatMilliseconds(spent), formatShare(spent / milliseconds)]),
      colors,
    ),
    "",
    ...timeTable(
      "part of the model",
      profile.parts,
      (row) => (row.count > 1 ? ` ×${row.count}` : ""),
      Number.POSITIVE_INFINITY,
      colors,
    ),
    "",
    ...timeTable(
      "operator with its gradient (nodes)",
      profile.operators,
      (row) => ` (${row.count})`,
      MOST_OPERATORS,
      colors,
    ),
    "",
    `${colors.dim("compute")}  ${formatGigaflops(compute.gigaflops)} GFLOP a step in products of matrices${again === undefined ? "" : ` (and ${formatGigaflops(again)} computed again)`}; ` +
      `${formatGigaflops(compute.gigaflopsPerSecond)} GFLOP/s, ${formatShare(compute.shareOfPeak)} of the ${formatGigaflops(compute.peakGigaflopsPerSecond)} that this machine reached in a product of large matrices` +
      (compute.shareOfPeak > 1 ? " (less than in training: it had other work then)" : ""),
    `${colors.dim("memory ")}  weights ${formatBytes(memory.weights)}, gradients ${formatBytes(memory.gradients)}, optimizer ${formatBytes(memory.optimizer)}, activations ${formatBytes(memory.activations)}; the process at most ${formatBytes(memory.process)}`,
    `${colors.dim("run    ")}  ${Object.entries(seconds)
      .filter(([, spent]) => spent >= 0.05)
      .map(([what, spent]) => `${what} ${spent.toFixed(1)} s`)
      .join(", ")}`,
    `${colors.dim("more   ")}  ${path}: each layer and each node by itself`,
  ];
  return lines.join("\n");
}

function formatOverhead({ profiled, plain, plainSteps }: ProfileEvent["profile"]["overhead"]): string {
  if (plain === undefined) return "the run was too short to compare with steps without profiling";
  const cost = profiled / plain - 1;
  const meaning =
    cost < 0.005
      ? "profiling cost nothing that could be measured"
      : `profiling cost ${formatShare(cost)}${cost > 0.1 ? ", or other programs took the machine" : ""}`;
  return `median ${formatMilliseconds(profiled)} ms with profiling, ${formatMilliseconds(plain)} ms in the ${formatCount(plainSteps)} ${plainSteps === 1 ? "step" : "steps"} after those without: ${meaning}`;
}

const phases = ["forward", "backward", "recomputation", "update"] as const;
const phaseLabels = { forward: "forward", backward: "backward", recomputation: "again", update: "update" };

/** Rows with those phases that any of them has. */
function timeTable(
  title: string,
  rows: readonly Row[],
  noteOf: (row: Row) => string,
  most: number,
  colors: Colors,
): string[] {
  const isSmall = (row: Row, at: number) => at >= most || row.share < LEAST_SHARE;
  const rest = rows.filter(isSmall);
  const shown = rest.length > 1 ? rows.filter((row, at) => !isSmall(row, at)) : rows;
  const used = phases.filter((phase) => rows.some((row) => row[phase] > 0));
  const cells = (name: string, of: readonly Row[]) => {
    const sum = (read: (row: Row) => number) => of.reduce((total, row) => total + read(row), 0);
    const milliseconds = sum((row) => row.milliseconds);
    const gigaflops = sum((row) => row.gigaflops);
    return [
      name,
      formatMilliseconds(milliseconds),
      formatShare(sum(({ share }) => share)),
      ...used.map((phase) =>
        formatMilliseconds(
          sum((row) => row[phase]),
          "",
        ),
      ),
      gigaflops > 0 && milliseconds > 0 ? formatGigaflops((1000 * gigaflops) / milliseconds) : "",
    ];
  };
  return table(
    [title, "ms", "share", ...used.map((phase) => phaseLabels[phase]), "GFLOP/s"],
    [
      ...shown.map((row) => cells(`${printable(row.name)}${noteOf(row)}`, [row])),
      ...(rest.length > 1 ? [cells(`${rest.length} others`, rest)] : []),
    ],
    colors,
  );
}

function formatMilliseconds(value: number, zero = "0.00"): string {
  return value === 0 ? zero : value >= 1000 ? formatCount(Math.round(value)) : value.toFixed(2);
}

function formatGigaflops(value: number): string {
  return value >= 100 ? formatCount(Math.round(value)) : value.toPrecision(3);
}
