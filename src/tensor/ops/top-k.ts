import { TensorError } from "../errors.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";

const apply = defineOperator<{ readonly k: number }>({
  name: "topK",
  infer: ([x], { k }) => {
    const { shape, rank } = x as Tensor;
    const last = shape.at(-1);
    if (rank === 0 || !Number.isInteger(k) || k < 1 || (typeof last === "number" && k > last))
      throw new TensorError(
        "SHAPE_MISMATCH",
        `topK: cannot take ${k} of the last axis of ${describe(x as Tensor)}.`,
      );
    return [{ dtype: "int32", shape: [...shape.slice(0, -1), k] }];
  },
  lower: (lowering, [x], { attributes: { k } }) => {
    const [, indices] = lowering.node("TopK", [x, lowering.constant([k], "int64", [1])], {
      outputs: 2,
      attributes: { axis: { int: -1 }, largest: { int: 1 }, sorted: { int: 1 } },
    });
    return lowering.node("Cast", [indices], { attributes: { to: { dtype: "int32" } } });
  },
});

/** Indices of the `k` largest elements along the last axis, largest first: int32 (…, C) → (…, k). Not differentiable. */
export function topK(x: Tensor, k: number): Tensor {
  return apply([x], { k })[0];
}
