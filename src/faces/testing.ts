/**
 * `codex-ml/testing`: what every component of a kind must do, as checks for any test runner.
 *
 * @example
 * import test from "node:test";
 * import { metricConformance } from "codex-ml/testing";
 * import { build } from "./metric.js";
 * for (const check of metricConformance(build)) test(check.name, check.run);
 */
export { type ConformanceCheck, ConformanceError } from "../testing/check.ts";
export { type DataLoaderConformanceOptions, dataLoaderConformance } from "../testing/data-loader.ts";
export { type MetricConformanceOptions, metricConformance } from "../testing/metric.ts";
export type { SampleKind } from "../testing/metric-samples.ts";
export { type ModelConformanceOptions, modelConformance } from "../testing/model.ts";
export type { ConformanceOptions } from "../testing/subject.ts";
export { type TokenizerConformanceOptions, tokenizerConformance } from "../testing/tokenizer.ts";
export {
  type TrainerConformanceOptions,
  type TrainingComponents,
  trainerConformance,
} from "../testing/trainer.ts";
