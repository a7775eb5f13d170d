import { TrainingError } from "./errors.ts";

/** @throws TrainingError unless the model knows the id. */
export function checkId(id: number, vocabSize: number, where = "data"): number {
  if (Number.isInteger(id) && id >= 0 && id < vocabSize) return id;
  throw new TrainingError(
    "ID_OUT_OF_RANGE",
    `The ${where} has the token id ${id}, but the model knows ids from 0 to ${vocabSize - 1}. Give the model the tokenizer's vocabSize, or look at what the data loader yields.`,
  );
}
