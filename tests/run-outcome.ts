/** What two runs must have in common to have been the same run. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readEvents } from "../src/tracking/index.ts";
import type { RunEvent } from "../src/trainers/index.ts";

export interface Outcome {
  /** Name of the last checkpoint's folder. */
  readonly checkpoint: string;
  /** SHA-256 by file: weights, optimizer state, configuration. */
  readonly digests: Readonly<Record<string, string>>;
  /** Position in the data, counters, best values. */
  readonly state: unknown;
  /** The rows of `metrics.ndjson` without times. */
  readonly rows: readonly unknown[];
  /** The same of the rows that tell of checkpoints: a row stands where its saving came to an end, which is a matter of time. */
  readonly checkpoints: readonly unknown[];
}

/** Reads what came of a run. */
export async function outcome(run: string): Promise<Outcome> {
  const folder = join(run, "checkpoints");
  const checkpoint =
    (await readdir(folder))
      .filter((name) => /^step-\d+$/.test(name))
      .sort()
      .at(-1) ?? "";
  const manifest = JSON.parse(await readFile(join(folder, checkpoint, "state.json"), "utf8"));
  const events: RunEvent[] = [];
  for await (const event of readEvents(join(run, "metrics.ndjson"))) events.push(event);
  const digests: Record<string, string> = {};
  for (const name of Object.keys(manifest.files))
    digests[name] = createHash("sha256")
      .update(await readFile(join(folder, checkpoint, name)))
      .digest("hex");
  return {
    checkpoint,
    digests,
    state: manifest.state,
    // When memory and processor are looked at is a matter of time, too.
    rows: events.filter(({ type }) => type !== "checkpoint" && type !== "system").map(withoutTimes),
    checkpoints: events.filter(({ type }) => type === "checkpoint"),
  };
}

function withoutTimes(event: RunEvent): unknown {
  const { tokensPerSecond: _, seconds: __, run: ___, ...rest } = event as unknown as Record<string, unknown>;
  return rest;
}
