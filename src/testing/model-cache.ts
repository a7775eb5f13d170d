/** What a model that gives `keyValues` must make of them, found by writing with and without them. */
import type { Model } from "../models/index.ts";
import { describeError } from "../packages/index.ts";
import { CachedDecoder, type Decoder, RecomputingDecoder } from "../trainers/generation/decoder.ts";
import { DecoderGraphs } from "../trainers/generation/decoder-graphs.ts";
import type { Weights } from "../trainers/weights.ts";
import { broken } from "./check.ts";
import type { FilledModel } from "./model-observed.ts";
import { distance, ids, part, percent } from "./model-samples.ts";

/** Positions that are written: enough for a first, a second and a later token. */
const LENGTH = 12;

/** Two texts of different lengths, token by token. A model without `keyValues` passes. */
export async function checkCache(run: FilledModel, model: Model, tolerance: number): Promise<void> {
  const longest = Math.min(LENGTH, model.maxPositionEmbeddings);
  const whole = [8, 9].map((seed) => ids(model, longest, seed));
  const rows = whole.map((row, at) => {
    const promptLength = at === 0 ? 1 : Math.ceil(longest / 2);
    return { ids: row.slice(0, promptLength), promptLength, rest: row.slice(promptLength) };
  });
  const [cached, plain] = decoders(model, run.weights);
  if (cached === undefined) return;
  for (let going = rows; going.length > 0; going = going.filter((row) => row.ids.length < longest)) {
    const [actual, expected] = [await cached.logits(going), await plain.logits(going)];
    for (const [at, row] of going.entries()) {
      const place = { length: 1, row: at };
      const moved = distance(part(expected, model, place), part(actual, model, place));
      if (!(moved <= tolerance))
        broken(
          `The logits after ${row.ids.length} ids differ by ${percent(moved)} when what was computed of the ids before the last ` +
            "is kept. Expected the same: with pastKeyValues, attend to past keys and values before the new ones, use " +
            "attentionMask over both and positionIds for the new, and give keyValues of the new positions alone.",
        );
    }
    for (const row of rows) row.ids.push(...row.rest.splice(0, 1));
  }
}

function decoders(model: Model, weights: Weights): readonly [Decoder | undefined, Decoder] {
  try {
    const graphs = new DecoderGraphs(model);
    const plain = new RecomputingDecoder(graphs, weights);
    if (graphs.layers.length === 0) return [undefined, plain];
    graphs.step(); // What is wrong with the graph is said by whoever builds it.
    return [new CachedDecoder(graphs, weights), plain];
  } catch (error) {
    return broken(describeError(error));
  }
}
