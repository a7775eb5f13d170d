/** Golden values of other libraries, and metrics that are held against them. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import {
  type EvaluatedExample,
  getMetric,
  type MetricValue,
  type StreamingMetric,
} from "../../src/metrics/index.ts";

export function golden<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), "utf8")) as Content;
}

export async function streaming(name: string, options: object = {}): Promise<StreamingMetric> {
  const metric = await getMetric(name, options);
  if (typeof metric === "function") throw new Error(`${name} is not streaming`);
  return metric;
}

export async function scored(
  name: string,
  options: object,
  examples: readonly EvaluatedExample[],
): Promise<MetricValue> {
  const metric = await streaming(name, options);
  for (const example of examples) metric.update(example);
  return metric.compute();
}

/** Within 1e-9 of the larger one, or of 1; `null` is NaN. */
export function expectNear(value: unknown, expected: number | null): void {
  if (expected === null) expect(value).toBeNaN();
  else
    expect(Math.abs((value as number) - expected)).toBeLessThanOrEqual(
      1e-9 * Math.max(1, Math.abs(expected)),
    );
}

export function texts(prediction: string, ...references: string[]): EvaluatedExample {
  return { labels: new Int32Array(), texts: { prediction, references } };
}
