import { isDeepStrictEqual } from "node:util";
import { formatChange } from "../tracking/index.ts";
import type { ComponentOrigin, RunChange } from "../trainers/index.ts";
import { isRecord } from "./check-config.ts";
import type { CheckpointRun } from "./checkpoint-files.ts";
import type { Components } from "./components.ts";
import type { ResolvedSlot } from "./resolved.ts";

/** What a person may insist on, though the run then is no longer the one that began. */
const forceNames = ["data", "seed", "tokenizer", "optimizer", "lock"] as const;
export type ForceName = (typeof forceNames)[number];

/** Why a run cannot go on as it is, and the name by which it goes on still, where there is one. */
export interface Refusal {
  readonly reason: string;
  readonly force?: ForceName;
}

/** Seed and components with all their options, as a checkpoint keeps them. */
export function describeConfig(
  seed: number,
  { resolved: slots, trial }: Pick<Components, "resolved" | "trial">,
): Readonly<Record<string, unknown>> {
  // Where a component started from was settled when the run began.
  const plain = (slot: ResolvedSlot): unknown => {
    if ("object" in slot) return { object: slot.object };
    const { from: _, ...options } = slot.options;
    return { name: slot.name, ...options };
  };
  return {
    seed,
    tokenizer: plain(slots.tokenizer),
    data: plain(slots.data),
    model: plain(slots.model),
    trainer: plain(slots.trainer),
    metrics: slots.metrics.map(plain),
    ...trial,
  };
}

/** What is another between the run of a checkpoint and the run as it would go on. */
export function runChanges(before: CheckpointRun, now: Omit<CheckpointRun, "metricsBytes">): RunChange[] {
  const origins = (components: readonly ComponentOrigin[]) =>
    Object.fromEntries(components.map(({ kind, name, origin }) => [`${kind}/${name}`, origin]));
  const known = origins(before.components);
  // Of a component that was exchanged, the configuration tells.
  const same = now.components.filter(({ kind, name }) => Object.hasOwn(known, `${kind}/${name}`));
  return [
    ...differences(before.config, now.config, []),
    ...same.flatMap(({ kind, name, origin }) =>
      origin === known[`${kind}/${name}`]
        ? []
        : [{ path: `${kind}/${name}`, from: known[`${kind}/${name}`], to: origin }],
    ),
    ...differences(before.device ?? "cpu", now.device ?? "cpu", ["device"]),
    ...differences(before.versions, now.versions, ["versions"]),
    ...(before.fingerprint === now.fingerprint
      ? []
      : [{ path: "data fingerprint", from: before.fingerprint, to: now.fingerprint }]),
  ];
}

function differences(from: unknown, to: unknown, path: readonly string[]): RunChange[] {
  if (isDeepStrictEqual(from, to)) return [];
  if (!isRecord(from) || !isRecord(to)) return [{ path: path.join("."), from, to }];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
    differences(from[key], to[key], [...path, key]),
  );
}

/** Options that decide what a position in the data means. */
const positional = ["trainer.sequenceLength", "trainer.groupByLength", "limit", "overfitBatch"];

/** Which of the changes make it another run. What a model's options change shows in its parameters. */
export function refusals(changes: readonly RunChange[]): Refusal[] {
  return changes.flatMap((change): Refusal[] => {
    const { path } = change;
    const shown = formatChange(change);
    if (path === "seed")
      return [
        {
          reason: `${shown}: order of the data, dropout and all else that is drawn would be another`,
          force: "seed",
        },
      ];
    if (path === "data fingerprint")
      return [
        {
          reason:
            "the data is not what the run was trained on (its fingerprint is another), so that its position means other examples",
          force: "data",
        },
      ];
    if (path.startsWith("data.") || path === "data" || positional.includes(path))
      return [{ reason: `${shown}: the position in the data would mean other examples`, force: "data" }];
    if (path === "tokenizer" || path.startsWith("tokenizer."))
      return [{ reason: `${shown}: the model knows the ids of its own tokenizer`, force: "tokenizer" }];
    if (path === "model.name" || path === "trainer.name" || path === "model" || path === "trainer")
      return [{ reason: `${shown}: that is another run; train it from the beginning` }];
    return [];
  });
}
