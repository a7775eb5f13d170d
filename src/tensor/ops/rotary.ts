import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { CONTRIB, type Lowering, type Value } from "../lowering.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";

const apply = defineOperator<undefined>({
  name: "rotary",
  infer: (inputs) => {
    const [x, cos, sin] = inputs as [Tensor, Tensor, Tensor];
    const [batch, , length = 1, size] = x.shape;
    const [rows = 1] = cos.shape;
    if (
      x.rank !== 4 ||
      typeof size !== "number" ||
      size % 2 !== 0 ||
      !isFloat(x.dtype) ||
      (rows !== 1 && rows !== batch) ||
      [cos, sin].some(
        (angles) => !sameShape(angles.shape, [rows, length, size / 2]) || angles.dtype !== x.dtype,
      )
    )
      throw new TensorError(
        "SHAPE_MISMATCH",
        `rotary: needs x (B, H, T, D) with an even number D, and cos and sin (B, T, D/2) or (1, T, D/2); got ${inputs.map(describe).join(", ")}.`,
      );
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ inputs, outputGradients: [dy], needed }) => {
    const [, cos, sin] = inputs as [Tensor, Tensor, Tensor];
    if (needed(1) || needed(2))
      throw new TensorError("NOT_DIFFERENTIABLE", "rotary: there is no gradient for the angles.");
    // A rotation undone is the one by the opposite angle, and an orthogonal matrix transposed is its inverse.
    return [dy && rotary(dy, cos, mul(sin, -1))];
  },
  lower: (lowering, values, { inputs }) => {
    const [x, cos, sin] = values as [Value, Value, Value];
    const [tensor, angles] = inputs as [Tensor, Tensor];
    return lowering.fused(tensor.dtype)
      ? lowerFused(lowering, [x, cos, sin], angles)
      : lowerPlain(lowering, [x, cos, sin], angles);
  },
});

/**
 * ONNX Runtime's kernel, four times as fast as the formula written out (0.5 against 2.3 ms for (16, 4, 128, 32)). It looks
 * angles up in tables (P, D/2) by int64 positions: (B, T), or one that a batch starts from.
 */
function lowerFused(lowering: Lowering, [x, cos, sin]: readonly Value[], { shape }: Tensor): Value[] {
  const [rows = 1, length = 1, half = 1] = shape;
  const table = (values: Value | undefined) => lowering.reshape(values, [sizeOf([rows, length]), half]);
  const positions = () => {
    const integer = (value: number) => lowering.constant([value], "int64", []);
    const [end] = lowering.node("Squeeze", [lowering.dim(sizeOf([rows, length]))]);
    const [range] = lowering.node("Range", [integer(0), end, integer(1)]);
    return lowering.reshape(range, [rows, length]);
  };
  const at = rows === 1 ? lowering.constant([0], "int64", [1]) : positions();
  return [...lowering.node("RotaryEmbedding", [x, at, table(cos), table(sin)], { domain: CONTRIB })];
}

function lowerPlain(lowering: Lowering, [x, cos, sin]: readonly Value[], { shape }: Tensor): Value[] {
  const [rows = 1, length = 1, half = 1] = shape;
  const node = (type: string, a: Value, b: Value) => lowering.node(type, [a, b])[0];
  const overHeads = (values: Value | undefined) => lowering.reshape(values, [rows, 1, length, half]);
  const [c, s] = [overHeads(cos), overHeads(sin)];
  const sizes = lowering.constant([Number(half), Number(half)], "int64", [2]);
  const [a, b] = lowering.node("Split", [x, sizes], {
    attributes: { axis: { int: -1 } },
    outputs: 2,
  }) as readonly [Value, Value];
  const turned = [
    node("Sub", node("Mul", a, c), node("Mul", b, s)),
    node("Add", node("Mul", b, c), node("Mul", a, s)),
  ];
  return [...lowering.node("Concat", turned, { attributes: { axis: { int: -1 } } })];
}

/**
 * Rotary position embedding (Su et al. 2021): turns each pair of elements (i, i + D/2) of x (B, H, T, D) by an angle, given
 * as its cos and sin, (B, T, D/2) or (1, T, D/2). Pairs are halves apart, as in Llama's checkpoints at Hugging Face.
 */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  return apply([x, cos, sin], undefined)[0];
}
