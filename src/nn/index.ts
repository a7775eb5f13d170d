export { evaluationContext, type ForwardContext, trainingContext } from "./context.ts";
export { Conv1D, dropout, Embedding, LayerNorm, Linear, type LinearOptions, RMSNorm } from "./layers.ts";
export { binaryLosses, IGNORE_INDEX, type LossOptions, tokenLosses } from "./losses.ts";
export { Module } from "./module.ts";
export { type Initializer, normal, ones, Parameter, uniform, zeros } from "./parameter.ts";
