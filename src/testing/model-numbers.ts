/** What the numbers of a model must be, found by running it. */
import type { Model } from "../models/index.ts";
import { broken } from "./check.ts";
import type { FilledModel } from "./model-observed.ts";
import { changed, distance, ids, lengthOf, longestOf, part, percent } from "./model-samples.ts";

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

/** Of a model that guesses masked tokens: it may look at both sides. */
export async function checkBothSides(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const length = lengthOf(model);
  const middle = Math.floor(length / 2);
  if (length < 2) return; // There are no sides.
  const row = ids(model, length, 2);
  const before = await run.logits([row]);
  for (const [side, at] of [
    ["before", length - 1],
    ["after", 0],
  ] as const) {
    const other = row.map((id, place) =>
      (side === "before") === place < middle ? (changed([id], 0, model)[0] ?? 0) : id,
    );
    const place = { length, from: at, to: at + 1 };
    const moved = distance(part(before, model, place), part(await run.logits([other]), model, place));
    if (moved <= tolerance)
      broken(
        `The logits at position ${at} stay the same when ids ${side} it change. Expected them to depend on both sides: a ` +
          "masked token is guessed from what stands around it.",
      );
  }
}

export async function checkShorter(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const { maxPositionEmbeddings } = model;
  const longest = longestOf(model);
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
    const moved = distance(fixed, await run.logits(rows, { free: true }));
    if (moved > tolerance)
      broken(
        `Traced with free axes, the logits over (${batch}, ${length}) differ by ${percent(moved)} from those traced with ` +
          "numbers. Expected the same: forward must take its sizes from inputIds.shape.",
      );
  }
}
