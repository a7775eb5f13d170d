export { evaluationContext, type ForwardContext, trainingContext } from "./context.ts";
export { type ContrastiveOptions, contrastiveLosses, normalize } from "./contrastive.ts";
export {
  Conv1D,
  dropout,
  Embedding,
  LayerNorm,
  Linear,
  type LinearOptions,
  RMSNorm,
  Sequential,
} from "./layers.ts";
export {
  binaryLosses,
  divergenceLosses,
  IGNORE_INDEX,
  type LossOptions,
  squaredErrors,
  tokenLosses,
} from "./losses.ts";
export { Module } from "./module.ts";
export { type Initializer, normal, ones, Parameter, uniform, zeros } from "./parameter.ts";
