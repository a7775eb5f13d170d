/** What the numbers of a causal language model must be, found by running it. */
import type { Model } from "../models/index.ts";
import { Random } from "../tensor/index.ts";
import { broken } from "./check.ts";
import type { FilledModel } from "./model-observed.ts";

/** Positions that most checks run over. */
const LENGTH = 8;
/** Longest sequence that is run to see whether the last position works. */
const LONGEST = 512;

function lengthOf({ maxPositionEmbeddings }: Model): number {
  return Math.min(LENGTH, maxPositionEmbeddings);
}

/** Random ids, always the same for a seed. */
function ids({ vocabSize }: Model, length: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length }, () => random.integer(vocabSize));
}

/** The ids with every one from `from` on changed to another. */
function changed(row: readonly number[], from: number, { vocabSize }: Model): number[] {
  return row.map((id, at) => (at < from ? id : (id + 1 + (at % Math.max(1, vocabSize - 1))) % vocabSize));
}

/** Largest difference of two stretches of logits, as a share of the largest logit. */
function distance(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))), 0) / largest;
}

const percent = (share: number): string => `${(100 * share).toPrecision(2)} % of the largest logit`;

/** Logits of some positions of one row: of (B, T, V), row `row`, positions [from, to). */
function part(
  logits: Float32Array,
  { vocabSize }: Model,
  { length, row = 0, from = 0, to = length }: { length: number; row?: number; from?: number; to?: number },
): Float32Array {
  return logits.subarray((row * length + from) * vocabSize, (row * length + to) * vocabSize);
}

/** @throws ConformanceError unless every changed id alone changes the logits at its own position or later. */
export async function checkIdsMatter(run: FilledModel, model: Model): Promise<void> {
  const length = lengthOf(model);
  const row = ids(model, length, 1);
  const before = await run.logits([row]);
  const after = await run.logits([changed(row, 0, model)]);
  if (distance(before, after) === 0)
    broken(
      "The logits are the same for other input ids; expected them to depend on inputIds: there is nothing to learn this way.",
    );
}

export async function checkCausality(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const length = lengthOf(model);
  const row = ids(model, length, 2);
  const before = await run.logits([row]);
  for (let from = 1; from < length; from++) {
    const after = await run.logits([changed(row, from, model)]);
    for (let at = 0; at < from; at++) {
      const place = { length, from: at, to: at + 1 };
      const moved = distance(part(before, model, place), part(after, model, place));
      if (moved > tolerance)
        broken(
          `The logits at position ${at} changed by ${percent(moved)} when ids from position ${from} on changed. Expected ` +
            "no change: a causal model sees no later id (it would learn to copy its answer).",
        );
    }
  }
}

export async function checkShorter(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const { maxPositionEmbeddings } = model;
  const longest = Math.min(LONGEST, maxPositionEmbeddings);
  const row = ids(model, longest, 3);
  const whole = await run.logits([row]);
  for (const length of new Set([1, Math.ceil(longest / 2), lengthOf(model)])) {
    const alone = await run.logits([row.slice(0, length)]);
    const moved = distance(part(whole, model, { length: longest, to: length }), alone);
    if (moved > tolerance)
      broken(
        `The first ${length} ids by themselves give logits that differ by ${percent(moved)} from those within ${longest} ids. ` +
          `Expected the same: a model takes every length up to maxPositionEmbeddings (${maxPositionEmbeddings}).`,
      );
  }
}

export async function checkBatchRows(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const length = lengthOf(model);
  const [a, b, c] = [4, 5, 6].map((seed) => ids(model, length, seed)) as [number[], number[], number[]];
  const alone = await run.logits([a]);
  for (const rows of [
    [a, b],
    [a, c],
    [b, a],
  ]) {
    const row = rows.indexOf(a);
    const moved = distance(alone, part(await run.logits(rows), model, { length, row }));
    if (moved > tolerance)
      broken(
        `A sequence gives logits that differ by ${percent(moved)} when it is row ${row} of a batch with another. Expected ` +
          "the same as alone: rows of a batch must not mix.",
      );
  }
}

/** Generation and export trace with symbols for batch and sequence. */
export async function checkFreeAxes(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  for (const [batch, length] of [
    [2, lengthOf(model)],
    [1, 1],
  ] as const) {
    const rows = Array.from({ length: batch }, (_, row) => ids(model, length, 7 + row));
    const fixed = await run.logits(rows);
    const moved = distance(fixed, await run.logits(rows, true));
    if (moved > tolerance)
      broken(
        `Traced with free axes, the logits over (${batch}, ${length}) differ by ${percent(moved)} from those traced with ` +
          "numbers. Expected the same: forward must take its sizes from inputIds.shape.",
      );
  }
}
