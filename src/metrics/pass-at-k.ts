import { z } from "zod";
import { ExactSum } from "./exact-sum.ts";
import { defineMetric, type EvaluatedExample, type StreamingMetric } from "./index.ts";
import { countSchema, MetricError, readState } from "./inputs.ts";

const stateSchema = z.strictObject({ tasks: z.array(z.tuple([z.string(), countSchema, countSchema])) });

/**
 * Mean over tasks of the probability that one of k attempts succeeds, in [0, 1], estimated without bias from the n ≥ k that
 * were made, c of which passed: 1 − C(n − c, k) / C(n, k). `NaN` for a k larger than some task's n. It reads outcomes, an
 * attempt each; running programs that a model wrote is left to whoever knows how to contain them. The state holds two numbers
 * a task. Source: Chen et al. (2021), "Evaluating Large Language Models Trained on Code", equation 1.
 */
class PassAtK implements StreamingMetric {
  readonly reads = ["outcome"] as const;
  readonly #ks: readonly number[];
  readonly #tasks = new Map<string, { attempts: number; passed: number }>();

  constructor(ks: readonly number[]) {
    this.#ks = ks;
  }

  /** @throws MetricError `METRIC_MISSING_INPUT`. */
  update({ outcome }: EvaluatedExample): void {
    if (outcome === undefined)
      throw new MetricError(
        "METRIC_MISSING_INPUT",
        "pass_at_k reads `outcome`, a task and whether an attempt at it passed, and was given none.",
      );
    this.#add(outcome.task, 1, outcome.passed ? 1 : 0);
  }

  compute(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#ks.map((k) => [`pass@${k}`, this.#mean(k)]));
  }

  reset(): void {
    this.#tasks.clear();
  }

  state(): z.output<typeof stateSchema> {
    const tasks = [...this.#tasks].map(([task, { attempts, passed }]): [string, number, number] => [
      task,
      attempts,
      passed,
    ]);
    return { tasks: tasks.sort(([a], [b]) => (a < b ? -1 : 1)) };
  }

  /** @throws MetricError `METRIC_BAD_STATE`. */
  merge(state: unknown): void {
    for (const counts of readState("pass_at_k", stateSchema, state).tasks) this.#add(...counts);
  }

  warnings(): readonly string[] {
    const [fewest] = [...this.#tasks].sort(
      ([a, one], [b, other]) => one.attempts - other.attempts || (a < b ? -1 : 1),
    );
    if (fewest === undefined) return ["it saw no attempt"];
    const [task, { attempts }] = fewest;
    return this.#ks
      .filter((k) => k > attempts)
      .map(
        (k) =>
          `pass@${k} is undefined: the task ${JSON.stringify(task)} was attempted ${attempts} time${attempts === 1 ? "" : "s"}`,
      );
  }

  #add(task: string, attempts: number, passed: number): void {
    const before = this.#tasks.get(task) ?? { attempts: 0, passed: 0 };
    this.#tasks.set(task, { attempts: before.attempts + attempts, passed: before.passed + passed });
  }

  #mean(k: number): number {
    const sum = new ExactSum();
    for (const { attempts, passed } of this.#tasks.values()) sum.add(passAtK(attempts, passed, k));
    return sum.value / this.#tasks.size;
  }
}

/** 1 − C(n − c, k) / C(n, k), as a product that does not overflow. */
function passAtK(n: number, c: number, k: number): number {
  if (k > n) return Number.NaN;
  if (n - c < k) return 1;
  let failing = 1;
  for (let i = n - c + 1; i <= n; i++) failing *= 1 - k / i;
  return 1 - failing;
}

export const passAtKMetric = defineMetric({
  description:
    "pass@k of generated programs: the probability that one of k attempts passes, unbiased, mean over tasks from 0 to 1; equal to HumanEval's. Chen et al. (2021).",
  options: z.strictObject({
    k: z
      .array(z.int().min(1))
      .min(1)
      .default([1, 10, 100])
      .describe("Numbers of attempts; NaN where a task has fewer attempts than that."),
  }),
  create: ({ k }) => new PassAtK(k),
});
