/** Metrics of classifiers equal scikit-learn's: tests/golden/metrics-classes.py. */
import { describe, expect, test } from "vitest";
import { type EvaluatedExample, flatValue } from "../../src/metrics/index.ts";
import { expectNear, golden, scored } from "./golden.ts";

type Nested = number | null | readonly Nested[];
interface ClassesGolden {
  readonly sets: Readonly<
    Record<
      string,
      { readonly labels: readonly (number | number[])[]; readonly probabilities: readonly number[][] }
    >
  >;
  readonly values: readonly {
    readonly set: string;
    readonly metric: string;
    readonly options: object;
    readonly value: Nested;
  }[];
}
const { sets, values } = golden<ClassesGolden>("metrics-classes.json");

function examplesOf(set: string): EvaluatedExample[] {
  const { labels = [], probabilities = [] } = sets[set] ?? {};
  const classes = (probabilities[0] ?? []).map((_, at) => `class ${at}`);
  return labels.map((label, row) => {
    const scores = probabilities[row] ?? [];
    const given = { classes, probabilities: Float32Array.from(scores) };
    if (typeof label !== "number")
      return {
        ...given,
        multiLabel: true,
        labels: Int32Array.from(label),
        predictedIds: Int32Array.from(scores, (score) => (score > 0.5 ? 1 : 0)),
      };
    const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
    return {
      ...given,
      labels: Int32Array.of(label),
      predictedIds: Int32Array.of(order[0]!),
      topIds: Int32Array.from(order),
    };
  });
}

/** The numbers of a value, in the order of the library's rows. */
function flat(value: Nested): (number | null)[] {
  return typeof value === "object" && value !== null ? value.flatMap(flat) : [value as number | null];
}

for (const set of Object.keys(sets))
  describe(`over ${set}`, () => {
    const cases = values.filter((one) => one.set === set);
    test.each(cases.map(({ metric, options, value }) => [metric, JSON.stringify(options), value] as const))(
      "%s %s",
      async (metric, options, expected) => {
        const value = await scored(metric, JSON.parse(options), examplesOf(set));
        const numbers = flatValue("", value).map(([, number]) => number);
        const wanted = flat(expected);
        expect(numbers).toHaveLength(wanted.length);
        for (const [at, number] of numbers.entries()) expectNear(number, wanted[at] ?? null);
      },
    );
  });
