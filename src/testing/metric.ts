import {
  type EvaluatedExample,
  flatValue,
  isMetricValue,
  type Metric,
  type MetricValue,
  metrics,
  type StreamingMetric,
} from "../metrics/index.ts";
import { describeValue, quote } from "../packages/index.ts";
import type { Factory } from "../registry/component.ts";
import { plainJsonProblem } from "../run/plain-json.ts";
import { broken, type ConformanceCheck, check } from "./check.ts";
import { expectEqual, plain } from "./difference.ts";
import { Merging } from "./metric-merging.ts";
import {
  examplesFor,
  limited,
  metricInputs,
  observeMetric,
  type SampleKind,
  valueOver,
} from "./metric-samples.ts";
import { type ConformanceOptions, commonChecks, Subject } from "./subject.ts";

export interface MetricConformanceOptions extends ConformanceOptions {
  /** Examples that it is tried on, at least three, each with all inputs. Default: ten random ones, see `samples`. */
  readonly examples?: readonly EvaluatedExample[];
  /**
   * What the ten random examples are of: `tokens` of a language model, `classes` that exclude each other, several `labels` at
   * once, generated `texts`, or `outcomes` of attempts at tasks. Default: what fits the metric's `reads`. A metric that can
   * take several kinds is best tried on each.
   */
  readonly samples?: SampleKind;
  /** Largest relative difference between the whole and merged parts. Default 1e-9; 0: to the last bit. */
  readonly tolerance?: number;
}

/**
 * What every metric must do. The checks that speak of a state hold for a plain function by themselves: it has none.
 *
 * @example for (const check of metricConformance(build)) test(check.name, check.run);
 */
export function metricConformance(
  build: Factory<Metric>,
  options: MetricConformanceOptions = {},
): ConformanceCheck[] {
  const { tolerance = 1e-9 } = options;
  const subject = new Subject(metrics, build, options);
  const choice = {
    ...(options.examples && { examples: options.examples }),
    ...(options.samples && { samples: options.samples }),
  };
  const tried = (body: (metric: Metric, examples: Examples) => void) => async () => {
    const metric = await subject.build();
    body(metric, examplesFor(metric, choice));
  };
  const streaming =
    (body: (make: () => Promise<StreamingMetric>, examples: Examples) => void | Promise<void>) =>
    async () => {
      const metric = await subject.build();
      if (typeof metric === "function") return;
      await body(async () => (await subject.build()) as StreamingMetric, examplesFor(metric, choice));
    };
  const merging = (body: (merging: Merging, make: () => Promise<StreamingMetric>) => Promise<void>) =>
    streaming((make, examples) => body(new Merging(examples, tolerance), make));
  return [
    ...commonChecks(subject, {
      claim: "give equal values",
      observe: (metric) => observeMetric(metric, choice),
      told: choice,
    }),
    check(
      "its value is a number, or numbers with names",
      tried((metric, examples) =>
        checkValue(valueOver(metric, examples), `over ${examples.length} sequences`),
      ),
    ),
    check("over no sequence it gives a number or NaN", async () => {
      const [metric, other] = [await subject.build(), await subject.build()];
      checkEmpty(valueOver(metric, []), valueOver(other, examplesFor(other, choice)));
    }),
    check("it changes nothing that it is given", tried(checkInputs)),
    check("asked again, it gives the same value", tried(checkAgain)),
    check(
      "it needs only the inputs in `reads`",
      streaming(async (make, examples) => checkReads(await make(), examples)),
    ),
    check(
      "reset makes it as new",
      streaming(async (make, examples) => checkReset(await make(), await make(), examples)),
    ),
    check(
      "builds share no state",
      streaming(async (make, examples) => checkSharing(await make(), await make(), examples)),
    ),
    check(
      "state() is plain JSON, and a copy",
      streaming(async (make, examples) => checkState(await make(), await make(), examples)),
    ),
    check(
      "merged parts of any split give the value of the whole",
      merging((merging, make) => merging.checkSplits(make)),
    ),
    check(
      "merging is commutative",
      merging((merging, make) => merging.checkCommutes(make)),
    ),
    check(
      "merging is associative",
      merging((merging, make) => merging.checkAssociates(make)),
    ),
  ];
}

type Examples = readonly EvaluatedExample[];

function isValue(value: unknown): value is MetricValue {
  return isMetricValue(value) && (typeof value === "number" || flatValue("", value).length > 0);
}

function checkValue(value: unknown, when: string): void {
  if (!isValue(value))
    broken(`Its value ${when} is ${describeValue(value)}; expected a number, or a record of numbers.`);
  if (flatValue("", value).every(([, number]) => Number.isNaN(number)))
    broken(
      `Its value ${when} is NaN; expected a number. If these are not sequences for it, choose others: \`samples\` or \`examples\`.`,
    );
}

function checkEmpty(value: unknown, usual: MetricValue): void {
  if (!isMetricValue(value))
    broken(
      `Its value over no sequence is ${describeValue(value)}; expected a number or NaN, as over others.`,
    );
  // Names of classes come with the examples: before there are any, names may be missing, but no others may be there.
  const names = (of: MetricValue) => (typeof of === "number" ? ["a number"] : Object.keys(of).sort());
  const expected = new Set(names(usual));
  if (typeof value === typeof usual && names(value).every((name) => expected.has(name))) return;
  broken(
    `Its value over no sequence is ${names(value).join(", ") || "empty"}; expected ${[...expected].join(", ")}, as over others.`,
  );
}

function checkInputs(metric: Metric, examples: readonly EvaluatedExample[]): void {
  const before = examples.map((example) => structuredClone(example));
  valueOver(metric, examples);
  // The check must not spoil the sequences for those that follow.
  const after = examples.map((example) => structuredClone(example));
  for (const [index, example] of examples.entries())
    for (const name of ["labels", ...metricInputs] as const) {
      const written = example[name];
      const original = before[index]?.[name];
      if (ArrayBuffer.isView(written) && ArrayBuffer.isView(original)) written.set(original as Int32Array);
    }
  expectEqual("It must not write into its inputs, but they differ", ["before", before], ["after", after]);
}

function checkAgain(metric: Metric, examples: readonly EvaluatedExample[]): void {
  const [first, ...rest] = examples;
  const value = valueOver(metric, examples);
  if (typeof metric === "function") {
    valueOver(metric, rest);
    const again = valueOver(metric, examples);
    expectEqual(
      "The same data must give the same value, but it differs",
      ["at first", value],
      ["later", again],
    );
    return;
  }
  expectEqual(
    "compute() must not change what it computes, but its value differs",
    ["at first", value],
    ["the second time", metric.compute()],
  );
  metric.reset();
  if (first) metric.update(first);
  metric.compute();
  for (const example of rest) metric.update(example);
  expectEqual(
    "compute() must not disturb later updates, but the value differs",
    ["without one in between", value],
    ["with one", metric.compute()],
  );
}

function checkReads(metric: StreamingMetric, examples: readonly EvaluatedExample[]): void {
  const unknown = metric.reads.find((name) => !metricInputs.includes(name));
  if (unknown !== undefined)
    broken(
      `\`reads\` has ${quote(unknown)}; expected only ${metricInputs.map((name) => quote(name)).join(", ")}.`,
    );
  const whole = valueOver(metric, examples);
  const reads = `\`reads\` is [${metric.reads.map((name) => quote(name)).join(", ")}]`;
  let alone: MetricValue;
  try {
    alone = valueOver(metric, limited(examples, metric.reads));
  } catch (error) {
    broken(
      `${reads}, but with those inputs alone it threw ${error instanceof Error ? error.message : describeValue(error)}. ` +
        "An evaluation computes only what `reads` lists.",
    );
  }
  expectEqual(
    `${reads}, and it must need no other input, but its value differs`,
    ["with all", whole],
    ["with those", alone],
  );
}

function checkReset(
  used: StreamingMetric,
  fresh: StreamingMetric,
  examples: readonly EvaluatedExample[],
): void {
  for (const example of examples) used.update(example);
  used.compute();
  used.reset();
  expectEqual(
    "reset() must make it as new, but its value over nothing differs",
    ["in a new one", fresh.compute()],
    ["after reset()", used.compute()],
  );
  const some = examples.slice(1);
  for (const example of some) for (const metric of [fresh, used]) metric.update(example);
  expectEqual(
    "reset() must make it as new, but its value over further sequences differs",
    ["in a new one", fresh.compute()],
    ["after reset()", used.compute()],
  );
}

function checkSharing(
  one: StreamingMetric,
  other: StreamingMetric,
  examples: readonly EvaluatedExample[],
): void {
  const before = plain(other.state());
  for (const example of examples) one.update(example);
  expectEqual(
    "Updating one build must not change another, but the other's state differs",
    ["before", before],
    ["after", other.state()],
  );
}

function checkState(
  metric: StreamingMetric,
  fresh: StreamingMetric,
  examples: readonly EvaluatedExample[],
): void {
  const [first, ...rest] = examples;
  if (first) metric.update(first);
  const value = metric.compute();
  const state = metric.state();
  const problem = plainJsonProblem({ state });
  if (problem !== undefined)
    broken(`${problem}; expected plain JSON data, so that another process can merge it.`);
  const json = JSON.stringify(state ?? null);
  for (const example of rest) metric.update(example);
  if (JSON.stringify(state ?? null) !== json)
    broken(
      `A state that was taken changed with later updates, from ${json} to ${JSON.stringify(state)}; expected a copy.`,
    );
  fresh.merge(JSON.parse(json));
  expectEqual(
    "A state must go through JSON and give the same value, but it differs",
    ["before", value],
    ["after", fresh.compute()],
  );
}
