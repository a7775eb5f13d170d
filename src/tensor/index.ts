export { grad, leavesOf, operationsOf } from "./autodiff.ts";
export { byteSize, type DType } from "./dtype.ts";
export { TensorError } from "./errors.ts";
export { countFlops, flopsByPlace, placeOf } from "./flops.ts";
export { type Attribute, CONTRIB, type Lowering, type NodeOptions, type Value } from "./lowering.ts";
export { arange } from "./ops/arange.ts";
export { type ArgReduceOptions, argmax, argmin } from "./ops/arg-reduce.ts";
export { add, div, modulo, mul, sub } from "./ops/arithmetic.ts";
export { type AttentionOptions, attention, causalAttention } from "./ops/attention.ts";
export { attentionBias } from "./ops/attention-bias.ts";
export { type CachedAttentionOptions, cachedAttention } from "./ops/cached-attention.ts";
export { cast } from "./ops/cast.ts";
export { clip } from "./ops/clip.ts";
export { columnSum } from "./ops/column-sum.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./ops/compare.ts";
export { concat, split, splitInto } from "./ops/concat.ts";
export { crossEntropy } from "./ops/cross-entropy.ts";
export { type CumsumOptions, cumsum } from "./ops/cumsum.ts";
export { dropoutMask } from "./ops/dropout-mask.ts";
export { erf } from "./ops/erf.ts";
export { fill } from "./ops/fill.ts";
export { gather } from "./ops/gather.ts";
export { gatherElements, scatterAdd } from "./ops/gather-elements.ts";
export { gelu } from "./ops/gelu.ts";
export { geluExact } from "./ops/gelu-exact.ts";
export { layerNorm } from "./ops/layer-norm.ts";
export { gemm, linear } from "./ops/linear.ts";
export { logSoftmax } from "./ops/log-softmax.ts";
export { logSumExp } from "./ops/log-sum-exp.ts";
export { logicalAnd, logicalNot, logicalOr } from "./ops/logical.ts";
export { type MatmulOptions, matmul } from "./ops/matmul.ts";
export { maximum, minimum } from "./ops/minimum-maximum.ts";
export { oneHot } from "./ops/one-hot.ts";
export type { Operand } from "./ops/operands.ts";
export { pow } from "./ops/pow.ts";
export { broadcastTo, type ReduceOptions, reduceSum, sumOfSquares, sumTo } from "./ops/reduce.ts";
export { reduceMax, reduceMin } from "./ops/reduce-extremes.ts";
export { reduceMean } from "./ops/reduce-mean.ts";
export { reduceProd } from "./ops/reduce-prod.ts";
export { reshape } from "./ops/reshape.ts";
export { rmsNorm } from "./ops/rms-norm.ts";
export { rotary } from "./ops/rotary.ts";
export { shift } from "./ops/shift.ts";
export { silu } from "./ops/silu.ts";
export { slice } from "./ops/slice.ts";
export { softmax } from "./ops/softmax.ts";
export { softplus } from "./ops/softplus.ts";
export { squeeze, unsqueeze } from "./ops/squeeze.ts";
export { stack } from "./ops/stack.ts";
export { topK } from "./ops/top-k.ts";
export { transpose } from "./ops/transpose.ts";
export { abs, cos, exp, floor, log, relu, sigmoid, sign, sin, sqrt, tanh } from "./ops/unary.ts";
export { where } from "./ops/where.ts";
export { mix32, Random } from "./random.ts";
export type { SegmentOf } from "./recompute.ts";
export { currentScope, inScope } from "./scope.ts";
export {
  addDims,
  type Dim,
  dimFactors,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
  staticShape,
  sumTerms,
} from "./shape.ts";
export {
  type ConstantData,
  constant,
  defineOperator,
  describe,
  type GradientRequest,
  input,
  type LoweredOperation,
  type Operation,
  type Operator,
  scalar,
  Tensor,
  type TensorSource,
  type TensorType,
  Total,
} from "./tensor.ts";
