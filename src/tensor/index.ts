export { grad, leavesOf, operationsOf } from "./autodiff.ts";
export { byteSize, type DType } from "./dtype.ts";
export { TensorError } from "./errors.ts";
export { type Attribute, CONTRIB, type Lowering, type NodeOptions, type Value } from "./lowering.ts";
export { add, div, minimum, mul, type Operand, sub } from "./ops/arithmetic.ts";
export { causalAttention } from "./ops/attention.ts";
export { columnSum } from "./ops/column-sum.ts";
export { concat, split, splitInto } from "./ops/concat.ts";
export { crossEntropy } from "./ops/cross-entropy.ts";
export { dropoutMask } from "./ops/dropout-mask.ts";
export { fill } from "./ops/fill.ts";
export { gather } from "./ops/gather.ts";
export { gelu } from "./ops/gelu.ts";
export { layerNorm } from "./ops/layer-norm.ts";
export { gemm, linear } from "./ops/linear.ts";
export { logSumExp } from "./ops/log-sum-exp.ts";
export { argmax, cast, equal, replaceWhere } from "./ops/logic.ts";
export { type MatmulOptions, matmul } from "./ops/matmul.ts";
export { broadcastTo, reduceSum, sumOfSquares, sumTo } from "./ops/reduce.ts";
export { reshape } from "./ops/reshape.ts";
export { slice } from "./ops/slice.ts";
export { softmax } from "./ops/softmax.ts";
export { softplus } from "./ops/softplus.ts";
export { topK } from "./ops/top-k.ts";
export { transpose } from "./ops/transpose.ts";
export { exp, log, sigmoid, sqrt, tanh } from "./ops/unary.ts";
export { mix32, Random } from "./random.ts";
export {
  type Dim,
  dimFactors,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
  staticShape,
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
