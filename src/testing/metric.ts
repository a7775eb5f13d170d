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
import { limited, metricInputs, observeMetric, sampleExamples, valueOver } from "./metric-samples.ts";
import { type ConformanceOptions, commonChecks, Subject } from "./subject.ts";

export interface MetricConformanceOptions extends ConformanceOptions {
  /** Sequences that it is tried on, at least three, each with all inputs. Default: ten random ones. */
  readonly examples?: readonly EvaluatedExample[];
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
  const { examples = sampleExamples(), tolerance = 1e-9 } = options;
  const subject = new Subject(metrics, build, options);
  const streaming = (body: (make: () => Promise<StreamingMetric>) => Promise<void>) => async () => {
    if (typeof (await subject.build()) === "function") return;
    await body(async () => (await subject.build()) as StreamingMetric);
  };
  const merging = new Merging(examples, tolerance);
  return [
    ...commonChecks(subject, {
      claim: "give equal values",
      observe: (metric) => observeMetric(metric, { examples }),
      told: { examples },
    }),
    check("its value is a number, or numbers with names", async () =>
      checkValue(valueOver(await subject.build(), examples), `over ${examples.length} sequences`),
    ),
    check("over no sequence it gives a number or NaN", async () =>
      checkEmpty(valueOver(await subject.build(), []), valueOver(await subject.build(), examples)),
    ),
    check("it changes nothing that it is given", async () => checkInputs(await subject.build(), examples)),
    check("asked again, it gives the same value", async () => checkAgain(await subject.build(), examples)),
    check(
      "it needs only the inputs in `reads`",
      streaming(async (make) => checkReads(await make(), examples)),
    ),
    check(
      "reset makes it as new",
      streaming(async (make) => checkReset(await make(), await make(), examples)),
    ),
    check(
      "builds share no state",
      streaming(async (make) => checkSharing(await make(), await make(), examples)),
    ),
    check(
      "state() is plain JSON, and a copy",
      streaming(async (make) => checkState(await make(), await make(), examples)),
    ),
    check(
      "merged parts of any split give the value of the whole",
      streaming((make) => merging.checkSplits(make)),
    ),
    check(
      "merging is commutative",
      streaming((make) => merging.checkCommutes(make)),
    ),
    check(
      "merging is associative",
      streaming((make) => merging.checkAssociates(make)),
    ),
  ];
}

function isValue(value: unknown): value is MetricValue {
  return isMetricValue(value) && (typeof value === "number" || flatValue("", value).length > 0);
}

function checkValue(value: unknown, when: string): void {
  if (!isValue(value))
    broken(`Its value ${when} is ${describeValue(value)}; expected a number, or a record of numbers.`);
  if (flatValue("", value).every(([, number]) => Number.isNaN(number)))
    broken(
      `Its value ${when} is NaN; expected a number. If these are not sequences for it, give others: \`examples\`.`,
    );
}

function checkEmpty(value: unknown, usual: MetricValue): void {
  if (!isValue(value))
    broken(
      `Its value over no sequence is ${describeValue(value)}; expected a number or NaN, as over others.`,
    );
  const names = (of: MetricValue) =>
    typeof of === "number" ? "a number" : Object.keys(of).sort().join(", ");
  if (names(value) !== names(usual))
    broken(`Its value over no sequence is ${names(value)}; expected ${names(usual)}, as over others.`);
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
