import { z } from "zod";
import { ExactSum, type ExactSumState } from "./exact-sum.ts";
import type { EvaluatedExample, MetricInput, StreamingMetric } from "./index.ts";
import { exactSumSchema, readState } from "./inputs.ts";
import { flatValue, type MetricValue } from "./value.ts";

/** A metric that is a function of sums over the examples: most are. */
export interface SumsMetric {
  readonly name: string;
  readonly reads: readonly MetricInput[];
  /** How many sums. */
  readonly length: number;
  /** What an example adds to each sum, shape (length). */
  terms(example: EvaluatedExample): readonly number[];
  value(sums: readonly number[]): MetricValue;
  /** Why a part of the value is `NaN`, as a sentence. */
  whyUndefined(sums: readonly number[]): string;
  /** What else to know of the value. */
  notes?(sums: readonly number[]): readonly string[];
  readonly topK?: number;
}

/** The metric. Its state is as large as its sums are many, and merges to the last bit in any order. */
export function sumsMetric(parts: SumsMetric): StreamingMetric {
  const { name, reads, length, topK } = parts;
  const stateSchema = z.strictObject({ sums: z.array(exactSumSchema).length(length) });
  const totals = Array.from({ length }, () => new ExactSum());
  const sums = () => totals.map(({ value }) => value);
  return {
    reads,
    ...(topK !== undefined && { topK }),
    update: (example) => {
      for (const [at, term] of parts.terms(example).entries()) if (term !== 0) totals[at]?.add(term);
    },
    compute: () => parts.value(sums()),
    reset: () => {
      for (const total of totals) total.reset();
    },
    state: (): { readonly sums: readonly ExactSumState[] } => ({
      sums: totals.map((total) => total.state()),
    }),
    merge: (state) => {
      for (const [at, sum] of readState(name, stateSchema, state).sums.entries()) totals[at]?.merge(sum);
    },
    warnings: () => {
      const isUndefined = flatValue(name, parts.value(sums())).some(([, value]) => Number.isNaN(value));
      return [...(isUndefined ? [parts.whyUndefined(sums())] : []), ...(parts.notes?.(sums()) ?? [])];
    },
  };
}

/** What {@link SumsMetric.whyUndefined} says of a mean over nothing. */
export const noExample = () => "it saw no example";
