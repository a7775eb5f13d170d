import { TensorError } from "../errors.ts";
import { addDims, type Dim, divideDims, normalizeAxis, staticShape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { fill } from "./fill.ts";

interface AxisAttributes {
  readonly axis: number;
}

const applyConcat = defineOperator<AxisAttributes>({
  name: "concat",
  infer: (inputs, { axis }) => {
    const first = inputs[0] as Tensor;
    let length: Dim = 0;
    for (const tensor of inputs) {
      const dim = tensor.dim(axis);
      const fits =
        tensor.dtype === first.dtype &&
        tensor.rank === first.rank &&
        tensor.shape.every((d, at) => at === axis || d === first.shape[at]);
      if (!fits)
        throw new TensorError(
          "SHAPE_MISMATCH",
          `concat along axis ${axis}: ${inputs.map(describe).join(", ")} do not fit.`,
        );
      length = addDims(length, dim);
    }
    return [{ dtype: first.dtype, shape: first.shape.map((dim, at) => (at === axis ? length : dim)) }];
  },
  gradient: ({ inputs, attributes: { axis }, outputGradients: [dy] }) =>
    dy === undefined
      ? []
      : splitSizes(
          dy,
          staticShape(
            inputs.map((tensor) => tensor.dim(axis)),
            "the gradient of concat",
          ),
          axis,
        ),
  lower: (lowering, inputs, { attributes }) =>
    lowering.node("Concat", inputs, { attributes: { axis: { int: attributes.axis } } }),
});

/** Joins tensors along an axis; all other axes must agree. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new TensorError("NO_TENSOR", "concat: needs at least one tensor.");
  if (tensors.length === 1) return first;
  return applyConcat(tensors, { axis: normalizeAxis("concat", axis, first.rank) })[0];
}

interface SplitAttributes extends AxisAttributes {
  readonly sizes: readonly number[];
}

const applySplit = defineOperator<SplitAttributes>({
  name: "split",
  infer: ([x], { axis, sizes }) => {
    const tensor = x as Tensor;
    if (sizes.reduce((sum, size) => sum + size, 0) !== tensor.dim(axis))
      throw new TensorError(
        "SHAPE_MISMATCH",
        `split: parts of ${sizes.join(" + ")} do not fill axis ${axis} of ${describe(tensor)}.`,
      );
    return sizes.map((size) => ({
      dtype: tensor.dtype,
      shape: tensor.shape.map((dim, at) => (at === axis ? size : dim)),
    }));
  },
  gradient: ({ outputs, attributes: { axis }, outputGradients }) => {
    if (outputGradients.every((part) => part === undefined)) return [];
    return [
      concat(
        outputs.map((part, index) => outputGradients[index] ?? fill(0, part.dtype, part.shape)),
        axis,
      ),
    ];
  },
  lower: (lowering, [x], { attributes: { axis, sizes } }) =>
    lowering.node("Split", [x, lowering.constant([...sizes], "int64", [sizes.length])], {
      attributes: { axis: { int: axis } },
      outputs: sizes.length,
    }),
});

function splitSizes(x: Tensor, sizes: readonly number[], axis: number): readonly Tensor[] {
  return sizes.length === 1 ? [x] : applySplit([x], { axis, sizes });
}

/** Cuts a tensor into parts of the given sizes along `axis`; the inverse of `concat`. */
export function splitInto(x: Tensor, sizes: readonly number[], axis = 0): readonly Tensor[] {
  return splitSizes(x, sizes, normalizeAxis("split", axis, x.rank));
}

/** Cuts a tensor into `parts` equal parts along `axis`. */
export function split(x: Tensor, parts: number, axis = 0): readonly Tensor[] {
  const at = normalizeAxis("split", axis, x.rank);
  const size = divideDims(x.dim(at), parts);
  if (typeof size !== "number")
    throw new TensorError(
      "SHAPE_MISMATCH",
      `split: axis ${at} of ${describe(x)} does not divide into ${parts} equal parts.`,
    );
  return splitSizes(x, Array<number>(parts).fill(size), at);
}
