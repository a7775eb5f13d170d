import { TensorError } from "../errors.ts";
import { normalizeAxis } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";

interface CumsumAttributes {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

export interface CumsumOptions {
  /** Whether an element is left out of its own sum, so that sums start from 0. Default false. */
  readonly exclusive?: boolean;
  /** Whether sums run from the last element to the first. Default false. */
  readonly reverse?: boolean;
}

const apply = defineOperator<CumsumAttributes>({
  name: "cumsum",
  infer: ([x]) => {
    const { dtype, shape } = x as Tensor;
    if (dtype === "bool" || dtype === "uint32")
      throw new TensorError(
        "DTYPE_MISMATCH",
        `cumsum: needs real numbers or signed integers; got ${describe(x as Tensor)}.`,
      );
    return [{ dtype, shape }];
  },
  // Element i is in the sums of all after it.
  gradient: ({ attributes: { axis, exclusive, reverse }, outputGradients: [dy] }) => [
    dy && cumsum(dy, axis, { exclusive, reverse: !reverse }),
  ],
  lower: (lowering, [x], { attributes: { axis, exclusive, reverse } }) =>
    lowering.node("CumSum", [x, lowering.constant([axis], "int64", [])], {
      attributes: { exclusive: { int: exclusive ? 1 : 0 }, reverse: { int: reverse ? 1 : 0 } },
    }),
});

/** Sums of the first one, two, three … elements along `axis`, of the shape of `x`. */
export function cumsum(x: Tensor, axis: number, options: CumsumOptions = {}): Tensor {
  const { exclusive = false, reverse = false } = options;
  return apply([x], { axis: normalizeAxis("cumsum", axis, x.rank), exclusive, reverse })[0];
}
