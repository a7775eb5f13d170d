import type { Tensor } from "../tensor.ts";
import { add, binary, mul } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { greater, greaterEqual } from "./compare.ts";

/** 1 where `a` is the larger, ½ where both are equal, else 0: of two equal ones each gets half, as in PyTorch. */
function share(a: Tensor, b: Tensor): Tensor {
  return mul(add(cast(greater(a, b), a.dtype), cast(greaterEqual(a, b), a.dtype)), 0.5);
}

/** Element by element the smaller one, broadcasting. Where both are equal, each gets half of the gradient. */
export const minimum = binary("minimum", "Min", ({ a, b, dy }) => [
  () => mul(dy, share(b, a)),
  () => mul(dy, share(a, b)),
]);

/** Element by element the larger one, broadcasting. Where both are equal, each gets half of the gradient. */
export const maximum = binary("maximum", "Max", ({ a, b, dy }) => [
  () => mul(dy, share(a, b)),
  () => mul(dy, share(b, a)),
]);
