/**
 * `codex-ml`: everything of `codex-ml/registry`, runs, and what models and trainers are written with.
 *
 * @example
 * import { train } from "codex-ml";
 * const run = await train("examples/moby-dick.yaml");
 * for await (const event of run) console.log(event);
 */

export {
  Conv1D,
  dropout,
  Embedding,
  evaluationContext,
  type ForwardContext,
  IGNORE_INDEX,
  type Initializer,
  LayerNorm,
  Linear,
  type LinearOptions,
  Module,
  normal,
  ones,
  Parameter,
  RMSNorm,
  tokenLosses,
  trainingContext,
  uniform,
  zeros,
} from "../nn/index.ts";
export {
  type AdamWOptions,
  adamW,
  clipByGlobalNorm,
  globalNorm,
  type Optimizer,
  type Schedule,
  type ScheduleOptions,
  type Slots,
  type UpdateRequest,
  warmupCosine,
} from "../optim/index.ts";
export { defineRun, type RunConfigInput } from "../run/config.ts";
export { importModules } from "../run/imports.ts";
export { type EvaluateOptions, type LoadedRun, loadRun } from "../run/loaded-run.ts";
export { RunFileError, type RunFileProblem } from "../run/problems.ts";
export { type LoadOptions, loadRunFile, type RunFile } from "../run/run-file.ts";
export { type Run, type RunResult, type TrainOptions, train } from "../run/train.ts";
export { RuntimeError } from "../runtime/index.ts";
export {
  add,
  arange,
  argmax,
  attention,
  attentionBias,
  broadcastTo,
  type CachedAttentionOptions,
  cachedAttention,
  cast,
  causalAttention,
  columnSum,
  concat,
  constant,
  cos,
  crossEntropy,
  type Dim,
  type DType,
  defineOperator,
  div,
  equal,
  erf,
  exp,
  fill,
  type GradientRequest,
  gather,
  gelu,
  geluExact,
  gemm,
  grad,
  input,
  type LoweredOperation,
  type Lowering,
  layerNorm,
  linear,
  log,
  type MatmulOptions,
  matmul,
  maximum,
  minimum,
  modulo,
  mul,
  type Operator,
  Random,
  reduceSum,
  replaceWhere,
  reshape,
  rmsNorm,
  rotary,
  type Shape,
  scalar,
  shift,
  sigmoid,
  silu,
  sin,
  slice,
  softmax,
  split,
  sqrt,
  sub,
  sumTo,
  Tensor,
  TensorError,
  Total,
  tanh,
  transpose,
  type Value,
} from "../tensor/index.ts";
export { readEvents, type Tracker, TrackingError, terminal } from "../tracking/index.ts";
export {
  type Batch,
  type BatchOptions,
  type DataPosition,
  evaluationBatches,
  trainingBatches,
} from "../trainers/batching.ts";
export { DataWarnings } from "../trainers/data-warnings.ts";
export { TrainingError } from "../trainers/errors.ts";
export { type Evaluation, Evaluator } from "../trainers/evaluation.ts";
export {
  type BatchGenerationOptions,
  type FinishReason,
  type GeneratedPiece,
  type GenerationOptions,
  TextGenerator,
} from "../trainers/generation/index.ts";
export { type StepResult, TrainingStep, type TrainingStepOptions } from "../trainers/training-step.ts";
export type { Weights } from "../trainers/weights.ts";
export * from "./registry.ts";
