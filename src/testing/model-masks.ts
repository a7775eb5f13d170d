/** What a model must do with attention masks, positions and token types. */
import type { Model } from "../models/index.ts";
import { leavesOf, type Tensor } from "../tensor/index.ts";
import { broken } from "./check.ts";
import { checkFiniteGradients } from "./model-gradients.ts";
import { type FilledModel, traceModel } from "./model-observed.ts";
import { distance, ids, lengthOf, longestOf, part, percent } from "./model-samples.ts";

const repeated = (value: number, length: number): number[] => Array<number>(length).fill(value);
const counted = (length: number): number[] => [...Array(length).keys()];

/** What is left out and what is given as the contract says that it then is must be the same. */
export async function checkLeftOut(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const length = lengthOf(model);
  const rows = [ids(model, length, 11), ids(model, length, 12)];
  const absent = await run.logits(rows);
  for (const [name, row] of [
    ["attentionMask", repeated(1, length)],
    ["positionIds", counted(length)],
    ["tokenTypeIds", repeated(0, length)],
  ] as const) {
    const moved = distance(absent, await run.logits(rows, { [name]: rows.map(() => row) }));
    if (moved > tolerance)
      broken(
        `With ${name} [${row.slice(0, 3).join(", ")} …] the logits differ by ${percent(moved)} from those without. Expected the same: ` +
          "that is what leaving it out means.",
      );
  }
}

/** Padding is told by the mask alone: its ids are drawn. */
export async function checkPadding(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const longest = longestOf(model);
  const row = ids(model, longest, 13);
  for (const length of new Set([1, Math.ceil(longest / 2)])) {
    const alone = await run.logits([row.slice(0, length)]);
    const mask = [...repeated(1, length), ...repeated(0, longest - length)];
    const padded = await run.logits([row], { attentionMask: [mask] });
    const moved = distance(alone, part(padded, model, { length: longest, to: length }));
    if (moved > tolerance)
      broken(
        `${length} ids by themselves give logits that differ by ${percent(moved)} from those within ${longest} positions, of which ` +
          `attentionMask says that ${longest - length} are padding. Expected the same: where it is 0 there is nothing to see.`,
      );
  }
}

/** A batch is filled up with rows of nothing: NaN in one of them would be NaN in every gradient. */
export async function checkOnlyPadding(run: FilledModel, model: Model): Promise<void> {
  const length = lengthOf(model);
  const rows = [ids(model, length, 14), ids(model, length, 15)];
  const attentionMask = [repeated(1, length), repeated(0, length)];
  await run.logits(rows, { attentionMask });
  await checkFiniteGradients(model, rows, attentionMask);
}

/**
 * Several documents in one row, told apart by the mask, each with positions of its own. A causal model may leave the mask
 * alone altogether: trainers see that, and refuse to pack documents for it.
 */
export async function checkPacking(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const length = lengthOf(model);
  const { inputs, logits } = traceModel(model, 1, length, "evaluation", ["attentionMask", "positionIds"]);
  if (model.task === "causal_lm" && !leavesOf([logits]).includes(inputs[1] as Tensor)) return;
  const first = Math.ceil(length / 2);
  const rest = Math.max(0, length - first - (length > 3 ? 1 : 0)); // and one position of padding, if there is room
  const documents = [ids(model, first, 16), ids(model, rest, 17)].filter((document) => document.length > 0);
  const padding = length - first - rest;
  const row = [...documents.flat(), ...repeated(0, padding)];
  const packed = await run.logits([row], {
    attentionMask: [
      [...documents.flatMap((document, at) => repeated(at + 1, document.length)), ...repeated(0, padding)],
    ],
    positionIds: [[...documents.flatMap((document) => counted(document.length)), ...repeated(0, padding)]],
  });
  let from = 0;
  for (const [at, document] of documents.entries()) {
    const to = from + document.length;
    const moved = distance(await run.logits([document]), part(packed, model, { length, from, to }));
    if (moved > tolerance)
      broken(
        `Document ${at + 1} of ${documents.length} in one row gives logits that differ by ${percent(moved)} from those by itself. Expected ` +
          "the same: positions see those of their own number in attentionMask alone, and positionIds says where in a document they are.",
      );
    from = to;
  }
}
