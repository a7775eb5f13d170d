import type { Dim } from "../shape.ts";
import { defineOperator, type Tensor } from "../tensor.ts";

const apply = defineOperator<{ readonly length: Dim }>({
  name: "arange",
  infer: (_inputs, { length }) => [{ dtype: "int32", shape: [length] }],
  lower: (lowering, _inputs, { attributes: { length } }) => {
    if (typeof length === "number")
      return [
        lowering.constant(
          Int32Array.from({ length }, (_, index) => index),
          "int32",
          [length],
        ),
      ];
    const integer = (value: number) => lowering.constant([value], "int64", []);
    const [end] = lowering.node("Squeeze", [lowering.dim(length)]);
    const [range] = lowering.node("Range", [integer(0), end, integer(1)]);
    return lowering.node("Cast", [range], { attributes: { to: { dtype: "int32" } } });
  },
});

/** 0, 1 … length − 1: int32 (length). The length may be symbolic. */
export function arange(length: Dim): Tensor {
  return apply([], { length })[0];
}
