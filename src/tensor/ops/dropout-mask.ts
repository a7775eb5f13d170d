import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { formatShape, type Shape, staticShape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";

interface DropoutAttributes {
  readonly shape: readonly number[];
  readonly probability: number;
  readonly site: number;
}

const GOLDEN = 0x9e3779b9 | 0;

const apply = defineOperator<DropoutAttributes>({
  name: "dropoutMask",
  infer: (_inputs, { shape }) => [{ dtype: "float32", shape }],
  lower: (lowering, inputs, { attributes: { shape, probability, site } }) => {
    const [keyA, keyB] = inputs as [Value, Value];
    const columns = shape.at(-1) ?? 1;
    const rows = shape.slice(0, -1).reduce((product, dim) => product * dim, 1);
    const int = integers(lowering);
    // A key a row, mixed from (key, site, row) with murmur3's finalizer; then one element from (row key, column).
    const rowIds = Int32Array.from(
      { length: rows },
      (_, row) => Math.imul(row + 1, GOLDEN) + Math.imul(site + 1, 0x85ebca6b),
    );
    let rowKeys = int.xor(lowering.constant(rowIds, "int32", [rows, 1]), keyA);
    rowKeys = int.multiply(int.shiftXor(rowKeys, 16), 0x85ebca6b);
    rowKeys = int.multiply(int.shiftXor(rowKeys, 13), 0xc2b2ae35);
    rowKeys = int.xor(int.shiftXor(rowKeys, 16), keyB);
    const columnIds = Int32Array.from({ length: columns }, (_, column) => Math.imul(column + 1, GOLDEN));
    let bits = lowering.node("Add", [rowKeys, lowering.constant(columnIds, "int32", [1, columns])])[0];
    bits = int.multiply(int.shiftXor(bits, 15), 0x2c1b3c6d);
    bits = int.multiply(int.shiftXor(bits, 12), 0x297a2d39);
    bits = int.shiftXor(bits, 15);
    const threshold = lowering.constant(
      [Math.min(Math.round(probability * 2 ** 32), 2 ** 32 - 1) - 2 ** 31],
      "int32",
      [],
    );
    const [dropped] = lowering.node("Less", [bits, threshold]);
    const [mask] = lowering.node("Where", [
      dropped,
      lowering.fill(0, "float32", []),
      lowering.fill(1 / (1 - probability), "float32", []),
    ]);
    return [lowering.reshape(mask, shape)];
  },
});

/** int32 arithmetic modulo 2³². Shifts are logical, so they run on the same bits as uint32. */
function integers(lowering: Lowering) {
  const cast = (x: Value, dtype: "int32" | "uint32") =>
    lowering.node("Cast", [x], { attributes: { to: { dtype } } })[0];
  return {
    xor: (a: Value, b: Value): Value => lowering.node("BitwiseXor", [a, b])[0],
    multiply: (x: Value, factor: number): Value =>
      lowering.node("Mul", [x, lowering.constant([factor | 0], "int32", [])])[0],
    shiftXor: (x: Value, bits: number): Value => {
      const unsigned = cast(x, "uint32");
      const [shifted] = lowering.node("BitShift", [unsigned, lowering.constant([bits], "uint32", [1])], {
        attributes: { direction: { string: "RIGHT" } },
      });
      return cast(lowering.node("BitwiseXor", [unsigned, shifted])[0], "int32");
    },
  };
}

/**
 * Factors for inverted dropout: 0 with the given probability, else 1/(1 − probability).
 *
 * Counter-based (Salmon et al. 2011): every element is a hash of the key, the site and its place, so that a resumed run
 * draws what it would have drawn. The mixing functions are murmur3's finalizer and Chris Wellons' lowbias32.
 *
 * @param key two int32 scalars that change with every draw, for example mixed from seed and step.
 * @param site tells one dropout of a graph from another.
 */
export function dropoutMask(
  shape: Shape,
  probability: number,
  key: readonly [Tensor, Tensor],
  site: number,
): Tensor {
  if (!(probability > 0 && probability < 1))
    throw new TensorError(
      "BAD_PROBABILITY",
      `dropout: the probability must lie between 0 and 1; got ${probability}.`,
    );
  for (const part of key)
    if (part.dtype !== "int32" || part.rank !== 0)
      throw new TensorError("SHAPE_MISMATCH", `dropout: a key is two int32 scalars; got ${describe(part)}.`);
  if (shape.length < 2)
    throw new TensorError("SHAPE_MISMATCH", `dropout: needs at least two axes; got ${formatShape(shape)}.`);
  return apply([...key], { shape: staticShape(shape, "dropout"), probability, site })[0];
}
