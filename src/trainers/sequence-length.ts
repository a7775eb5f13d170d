import type { Model } from "../models/index.ts";
import { TrainingError } from "./errors.ts";

/**
 * Positions of a row, T: what the trainer's `sequenceLength` asks for, else as many as the model sees.
 *
 * @throws TrainingError when neither says, or the model sees fewer.
 */
export function sequenceLengthFor(model: Model, wanted: number | undefined): number {
  const length = wanted ?? model.maxPositionEmbeddings;
  if (!Number.isFinite(length))
    throw new TrainingError(
      "SEQUENCE_LENGTH_MISSING",
      "The model reads sequences of any length; give the trainer a sequenceLength (128, for example).",
    );
  if (length > model.maxPositionEmbeddings)
    throw new TrainingError(
      "SEQUENCE_TOO_LONG",
      `sequenceLength is ${length}, but the model sees at most ${model.maxPositionEmbeddings} positions (maxPositionEmbeddings).`,
    );
  return length;
}
