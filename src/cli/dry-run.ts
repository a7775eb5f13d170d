import type { DryRun, PartParameters } from "../run/dry-run.ts";
import type { Colors } from "../tracking/colors.ts";
import { formatBytes, formatCount, formatDuration, formatShare, printable } from "../tracking/format.ts";
import { formatSurvey } from "../tracking/rows.ts";
import { table } from "../tracking/table.ts";

/** What a run would be and what it would cost, for people. */
export function formatDryRun(found: DryRun, colors: Colors): string {
  const { components, parameters, trial, memory, run, disk, data, warnings, notes } = found;
  const label = (text: string) => colors.dim(text.padEnd(10));
  const { total, trained } = parameters;
  return [
    ...table(
      ["component", "name", "from"],
      components.map(({ kind, name, origin }) => [kind, printable(name), printable(origin)]),
      colors,
      ["component", "name", "from"],
    ),
    "",
    ...table(
      ["part of the model", "shapes", "parameters", "share"],
      [
        ...parameters.parts.map((part) => [
          `${printable(part.part)}${part.count > 1 ? ` ×${part.count}` : ""}${frozenNote(part)}`,
          Object.entries(part.shapes)
            .map(([name, shape]) => `${printable(name)} (${shape.join(", ")})`)
            .join(", "),
          formatCount(part.parameters),
          formatShare(part.parameters / total),
        ]),
        ["all", "", formatCount(total), ""],
        ["trained", "", formatCount(trained), formatShare(trained / total)],
      ],
      colors,
      ["part of the model", "shapes"],
    ),
    "",
    ...(data === undefined ? [] : [`${label("data")}${formatSurvey(data, colors)}`]),
    ...(trial === undefined
      ? [
          `${label("step")}this trainer cannot be tried without training (it has no \`trial\`): neither its time nor its memory is known`,
        ]
      : trialLines(trial, memory, label)),
    `${label("run")}${formatRun(found)}`,
    `${label("disk")}${formatBytes(disk.checkpoints)} of checkpoints at a time at most${disk.room === undefined ? "" : `; there is room for ${formatBytes(disk.room)}`}`,
    ...notes.map((note) => `${label("note")}${printable(note)}`),
    ...warnings.map((warning) => `${colors.yellow("warning")}   ${printable(warning)}`),
    "",
    `${colors.green("ok")}  nothing was trained and nothing was written${run.steps === undefined ? "" : `; ${formatCount(run.steps)} ${run.steps === 1 ? "step" : "steps"} to go`}`,
  ].join("\n");
}

function frozenNote({ parameters, trained }: PartParameters): string {
  return trained === parameters ? "" : trained === 0 ? " (frozen)" : " (partly frozen)";
}

function trialLines(
  trial: NonNullable<DryRun["trial"]>,
  { process, available }: DryRun["memory"],
  label: (text: string) => string,
): string[] {
  const { batchSize, sequenceLength, gradientAccumulationSteps, tokens, seconds, gigaflops } = trial;
  const { weights, gradients, optimizer, activations } = trial.memory;
  const batches = gradientAccumulationSteps === 1 ? "" : `${gradientAccumulationSteps} batches of `;
  const speed = formatCount(Math.round(tokens / seconds.step));
  return [
    `${label("batch")}${batches}${batchSize} × ${sequenceLength}, ${formatCount(tokens)} tokens that count in an update`,
    `${label("loss")}${trial.loss.toFixed(3)} of the first batch; guessing evenly gives ${trial.guessLoss.toFixed(3)}`,
    `${label("memory")}weights ${formatBytes(weights)}, gradients ${formatBytes(gradients)}, optimizer ${formatBytes(optimizer)}, activations ${formatBytes(activations)} (measured)`,
    `${label("")}the process took ${formatBytes(process)} of this machine's ${formatBytes(available)}`,
    `${label("step")}${formatSeconds(seconds.step)}: ${formatSeconds(seconds.batch)} a batch forward and backward (median of ${trial.batches}), ${formatSeconds(seconds.update)} the update`,
    `${label("")}${speed} tokens/s, ${gigaflops.toPrecision(3)} GFLOP a step, ${(gigaflops / seconds.step).toPrecision(3)} GFLOP/s`,
  ];
}

function formatRun({ run: { steps, seconds } }: DryRun): string {
  if (steps === undefined) return "the trainer does not say how many steps";
  const many = `${formatCount(steps)} ${steps === 1 ? "step" : "steps"}`;
  if (seconds === undefined) return many;
  return `${many} in about ${formatDuration(seconds)}, evaluations, samples and checkpoints not counted`;
}

/** `3.2 s`, `45.1 ms` */
function formatSeconds(seconds: number): string {
  return seconds >= 1
    ? `${seconds.toFixed(seconds >= 100 ? 0 : 1)} s`
    : `${(1000 * seconds).toPrecision(3)} ms`;
}
