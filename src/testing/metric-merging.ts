import type { EvaluatedExample, MetricValue, StreamingMetric } from "../metrics/index.ts";
import { broken } from "./check.ts";
import { plain } from "./difference.ts";

/** The algebra of merge(), tried on parts of the examples. */
export class Merging {
  readonly #examples: readonly EvaluatedExample[];
  readonly #tolerance: number;

  constructor(examples: readonly EvaluatedExample[], tolerance: number) {
    this.#examples = examples;
    this.#tolerance = tolerance;
  }

  /** Every cut into two, one into single sequences, and every other one; with an empty part each time. */
  async checkSplits(make: () => Promise<StreamingMetric>): Promise<void> {
    const all = this.#examples;
    const whole = (await over(make, all)).compute();
    const splits = [
      ...all.map((_, cut) => [all.slice(0, cut), all.slice(cut)]),
      all.map((example) => [example]),
      [all.filter((_, at) => at % 2 === 0), all.filter((_, at) => at % 2 === 1)],
    ];
    for (const parts of splits) {
      const merged = await make();
      for (const part of [...parts, []]) merged.merge(json((await over(make, part)).state()));
      const lengths = parts.map(({ length }) => length).join(" + ");
      this.#expect(
        `Merging parts of ${lengths} sequences must give the value of the whole`,
        whole,
        merged.compute(),
      );
    }
  }

  async checkCommutes(make: () => Promise<StreamingMetric>): Promise<void> {
    const [a, b] = await this.#parts(make);
    const one = await combined(make, a, b);
    const other = await combined(make, b, a);
    this.#expect("Merging b into a must give what a into b gives", one.compute(), other.compute());
  }

  async checkAssociates(make: () => Promise<StreamingMetric>): Promise<void> {
    const [a, b, c] = await this.#parts(make);
    const left = await combined(make, json((await combined(make, a, b)).state()), c);
    const right = await combined(make, a, json((await combined(make, b, c)).state()));
    this.#expect("(a + b) + c must give what a + (b + c) gives", left.compute(), right.compute());
  }

  /** The states of three parts. */
  async #parts(make: () => Promise<StreamingMetric>): Promise<[unknown, unknown, unknown]> {
    const all = this.#examples;
    const [one, two] = [Math.ceil(all.length / 4), Math.ceil(all.length / 2)];
    const state = async (part: readonly EvaluatedExample[]) => json((await over(make, part)).state());
    return [await state(all.slice(0, one)), await state(all.slice(one, two)), await state(all.slice(two))];
  }

  #expect(claim: string, expected: MetricValue, got: MetricValue): void {
    if (!near(expected, got, this.#tolerance))
      broken(
        `${claim}: expected ${shownValue(expected)}, got ${shownValue(got)} (relative tolerance ${this.#tolerance}).`,
      );
  }
}

async function over(
  make: () => Promise<StreamingMetric>,
  examples: readonly EvaluatedExample[],
): Promise<StreamingMetric> {
  const metric = await make();
  for (const example of examples) metric.update(example);
  return metric;
}

/** A new metric with two states merged into it. */
async function combined(
  make: () => Promise<StreamingMetric>,
  a: unknown,
  b: unknown,
): Promise<StreamingMetric> {
  const metric = await make();
  metric.merge(a);
  metric.merge(b);
  return metric;
}

/** What another process would receive. */
function json(state: unknown): unknown {
  return JSON.parse(JSON.stringify(state ?? null));
}

function near(a: MetricValue, b: MetricValue, tolerance: number): boolean {
  if (typeof a === "number" && typeof b === "number")
    return Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
  if (typeof a === "number" || typeof b === "number") return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
    near(a[key] ?? Number.NEGATIVE_INFINITY, b[key] ?? Number.POSITIVE_INFINITY, tolerance),
  );
}

function shownValue(value: MetricValue): string {
  return typeof value === "number" ? String(value) : JSON.stringify(plain(value));
}
