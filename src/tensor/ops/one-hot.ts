import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";
import { arange } from "./arange.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { unsqueeze } from "./squeeze.ts";

/**
 * 1 at the place that each int32 id says, else 0: (…) → (…, depth). An id outside [0, depth) gives a row of zeros. Not
 * differentiable.
 */
export function oneHot(ids: Tensor, depth: number, dtype: DType = "float32"): Tensor {
  return cast(equal(unsqueeze(ids, -1), arange(depth)), dtype);
}
