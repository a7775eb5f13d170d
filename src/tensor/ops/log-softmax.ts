import type { Tensor } from "../tensor.ts";
import { sub } from "./arithmetic.ts";
import { logSumExp } from "./log-sum-exp.ts";

/** log softmax(x) over the last axis, exact for any finite x. */
export function logSoftmax(x: Tensor): Tensor {
  return sub(x, logSumExp(x));
}
