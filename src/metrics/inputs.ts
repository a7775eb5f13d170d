import { z } from "zod";
import type { EvaluatedExample } from "./index.ts";

/** A metric that was given what it cannot read. */
export class MetricError extends Error {
  readonly code: "METRIC_MISSING_INPUT" | "METRIC_BAD_INPUT" | "METRIC_BAD_STATE";
  constructor(code: MetricError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MetricError";
    this.code = code;
  }
}

/**
 * The array that a metric reads, shape (n) as `labels`.
 *
 * @throws MetricError `METRIC_MISSING_INPUT` when it is absent or has another length.
 */
export function readInput<Input extends "tokenLosses" | "predictedIds" | "labelBytes">(
  metric: string,
  example: EvaluatedExample,
  input: Input,
): NonNullable<EvaluatedExample[Input]> {
  const values = example[input];
  if (values === undefined || values.length !== example.labels.length)
    throw new MetricError(
      "METRIC_MISSING_INPUT",
      `${metric} reads \`${input}\`, one for each of the ${example.labels.length} labels, and was given ` +
        `${values === undefined ? "none" : values.length}. A trainer must supply what a metric's \`reads\` lists.`,
    );
  return values as NonNullable<EvaluatedExample[Input]>;
}

/**
 * The texts that a metric reads.
 *
 * @throws MetricError `METRIC_MISSING_INPUT` when there are none, or no reference.
 */
export function readTexts(metric: string, example: EvaluatedExample): NonNullable<EvaluatedExample["texts"]> {
  const { texts } = example;
  if (texts !== undefined && texts.references.length > 0) return texts;
  throw new MetricError(
    "METRIC_MISSING_INPUT",
    `${metric} reads \`texts\`, a prediction and one reference or more, and was given ` +
      `${texts === undefined ? "none" : "no reference"}. A trainer must supply what a metric's \`reads\` lists.`,
  );
}

export const countSchema = z.int().min(0);
export const exactSumSchema = z.strictObject({
  partials: z.array(z.number()),
  notFinite: z.enum(["NaN", "Infinity", "-Infinity"]).exactOptional(),
});

/** @throws MetricError `METRIC_BAD_STATE` when `state` is not what `state()` of the same metric gives. */
export function readState<State>(metric: string, schema: z.ZodType<State>, state: unknown): State {
  const result = schema.safeParse(state);
  if (result.success) return result.data;
  throw new MetricError(
    "METRIC_BAD_STATE",
    `${metric} cannot merge a state that it did not make: ${z.prettifyError(result.error)}`,
    { cause: result.error },
  );
}
