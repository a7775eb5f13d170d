import type { Lowering, Value } from "../lowering.ts";
import type { Tensor } from "../tensor.ts";

/** Shortest sides for which turning a factor is worth its time. */
const LEAST_ROWS = 256;
const LEAST_COLUMNS = 128;

/**
 * Rows that are multiplied at a time. A turned factor has this many numbers in a row; 2,048 would put the 12 rows that ONNX
 * Runtime's kernel walks along together at the same places of the first cache.
 */
const GROUP = 512;

/** Largest product, in numbers, of which there may be one for each group. */
const LARGEST_IN_GROUPS = 2 ** 22;

interface Sides {
  /** Rows of both factors, which are summed over. */
  readonly rows: number;
  readonly left: number;
  readonly right: number;
}

/**
 * `alpha · aᵀ · b`, which is what a weight's gradient is, of a (K, M) and b (K, N) → (M, N). ONNX Runtime's own product with a
 * transposed first factor reads that column by column. Here the narrower factor is transposed before, in groups of rows, whose
 * products are added up; where it is b, the product comes out transposed and is turned back. GFLOP/s on two Zen 4 cores, all that
 * it takes counted, of the library's way, a transposed first, and this: K 2048, M 384, N 1152: 180, 181, 191; K 2048, M 1536,
 * N 384: 163, 173, 169; K 512, M 50257, N 768 (whose product the library goes through four times): 138, 146, 171. In a training
 * step, where the factors are in no cache, K 2048, M 128, N 512 has 175 with a transposed first and 206 so, without transposing.
 *
 * @returns Undefined where the library's own way is as quick, or a side is not a number.
 */
export function lowerTransposedProduct(
  lowering: Lowering,
  [a, b]: readonly [Value, Value],
  [left, right]: readonly [Tensor, Tensor],
  alpha: number,
): Value | undefined {
  const sides = { rows: left.dim(0), left: left.dim(1), right: right.dim(1) };
  if (!isWorthTurning(sides)) return undefined;
  const { dtype } = left;
  if (sides.left <= sides.right) return product(lowering, [a, b], sides, { alpha, dtype });
  const turned = product(
    lowering,
    [b, a],
    { ...sides, left: sides.right, right: sides.left },
    { alpha, dtype },
  );
  return transposed(lowering, turned, [1, sides.right, sides.left], [sides.left, sides.right]);
}

function isWorthTurning(sides: { readonly [Side in keyof Sides]: number | string }): sides is Sides {
  const { rows, left, right } = sides;
  if (typeof rows !== "number" || typeof left !== "number" || typeof right !== "number") return false;
  return rows >= LEAST_ROWS && Math.min(left, right) >= LEAST_COLUMNS;
}

/** The same where the first factor is the narrower one. */
function product(
  lowering: Lowering,
  [a, b]: readonly [Value, Value],
  { rows, left, right }: Sides,
  { alpha, dtype }: { readonly alpha: number; readonly dtype: Tensor["dtype"] },
): Value {
  const groups = rows % GROUP === 0 && left * right <= LARGEST_IN_GROUPS ? rows / GROUP : 1;
  if (groups === 1)
    return lowering.node("Gemm", [transposed(lowering, a, [1, rows, left], [left, rows]), b], {
      attributes: { alpha: { float: alpha } },
    })[0];
  const turned = transposed(lowering, a, [groups, GROUP, left]);
  const [parts] = lowering.node("MatMul", [turned, lowering.reshape(b, [groups, 1, GROUP, right])]);
  const [sum] = lowering.node("MatMul", [
    lowering.fill(alpha, dtype, [1, groups]),
    lowering.reshape(parts, [groups, left * right]),
  ]);
  return lowering.reshape(sum, [left, right]);
}

/**
 * Transposes each of a number of matrices, and gives them the shape `as` (default (matrices, 1, columns, rows)). With the axis of
 * length 1 ONNX Runtime does not fold it back into the product.
 */
function transposed(
  lowering: Lowering,
  x: Value,
  [matrices, rows, columns]: readonly [number, number, number],
  as?: readonly number[],
): Value {
  const spread = lowering.reshape(x, [matrices, rows, 1, columns]);
  const [turned] = lowering.node("Transpose", [spread], { attributes: { perm: { ints: [0, 2, 3, 1] } } });
  return as ? lowering.reshape(turned, as) : turned;
}
