import { normalizeAxes } from "../shape.ts";
import { defineOperator, type Tensor } from "../tensor.ts";
import { div, mul } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { type ReduceAttributes, type ReduceOptions, reducedShape, reduceSum } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { where } from "./where.ts";

const apply = defineOperator<ReduceAttributes>({
  name: "reduceProd",
  infer: ([x], attributes) => {
    const { dtype, shape } = x as Tensor;
    return [{ dtype, shape: reducedShape(shape, attributes) }];
  },
  gradient: ({ inputs: [tensor], attributes: { axes }, outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    const x = tensor as Tensor;
    const kept = { axes, keepDims: true };
    // The product of the others: all divided by this one, unless a factor is 0. Then only the one zero has a slope.
    const isZero = equal(x, 0);
    const zeros = reduceSum(cast(isZero, x.dtype), kept);
    const safe = where(isZero, 1, x);
    const ofOthers = reduceProd(safe, kept);
    const slope = where(
      isZero,
      where(equal(zeros, 1), ofOthers, 0),
      where(equal(zeros, 0), div(ofOthers, safe), 0),
    );
    return [mul(slope, reshape(dy, reducedShape(x.shape, kept)))];
  },
  lower: (lowering, [x], { attributes: { axes, keepDims } }) =>
    lowering.node("ReduceProd", [x, lowering.constant([...axes], "int64", [axes.length])], {
      attributes: { keepdims: { int: keepDims ? 1 : 0 } },
    }),
});

/** Product over `axes` (all of them when left out). Its gradient is exact where factors are 0 too. */
export function reduceProd(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axes = normalizeAxes("reduceProd", options.axes, x.rank);
  // ONNX takes a list without axes for all of them.
  return axes.length === 0 ? x : apply([x], { axes, keepDims: options.keepDims ?? false })[0];
}
