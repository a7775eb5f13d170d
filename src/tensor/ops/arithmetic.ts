import { TensorError } from "../errors.ts";
import { broadcastShapes } from "../shape.ts";
import {
  defineOperator,
  describe,
  type GradientRequest,
  type Operator,
  scalar,
  type Tensor,
} from "../tensor.ts";
import { sumTo } from "./reduce.ts";
import { elementwise } from "./reshape.ts";

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

type BinaryGradient = (request: {
  a: Tensor;
  b: Tensor;
  y: Tensor;
  dy: Tensor;
}) => readonly [() => Tensor, () => Tensor];

function binary(name: string, onnx: string, rule?: BinaryGradient): (a: Operand, b: Operand) => Tensor {
  const operator: Operator<undefined> = {
    name,
    infer: ([a, b]) => {
      const [left, right] = [a as Tensor, b as Tensor];
      if (left.dtype !== right.dtype)
        throw new TensorError(
          "DTYPE_MISMATCH",
          `${name}: ${describe(left)} and ${describe(right)} have different dtypes.`,
        );
      return [{ dtype: left.dtype, shape: broadcastShapes(name, left.shape, right.shape) }];
    },
    ...(rule && { gradient: binaryGradient(rule) }),
    lower: (lowering, inputs) => lowering.node(onnx, inputs),
  };
  const apply = defineOperator(operator);
  return (a, b) => {
    if (typeof a === "number" && typeof b === "number")
      throw new TensorError(
        "NO_TENSOR",
        `${name}: at least one operand must be a tensor; got ${a} and ${b}.`,
      );
    const left = typeof a === "number" ? scalar(a, (b as Tensor).dtype) : a;
    const right = typeof b === "number" ? scalar(b, left.dtype) : b;
    return elementwise([left, right], (x, y) => apply([x, y], undefined)[0]);
  };
}

function binaryGradient(rule: BinaryGradient) {
  return ({ inputs, outputs, outputGradients: [dy], needed }: GradientRequest<undefined>) => {
    const [a, b] = inputs as [Tensor, Tensor];
    if (dy === undefined) return [];
    const [da, db] = rule({ a, b, y: outputs[0] as Tensor, dy });
    return [needed(0) ? sumTo(da(), a.shape) : undefined, needed(1) ? sumTo(db(), b.shape) : undefined];
  };
}

/** Element by element `a + b`, broadcasting. */
export const add = binary("add", "Add", ({ dy }) => [() => dy, () => dy]);

/** Element by element `a − b`, broadcasting. */
export const sub = binary("sub", "Sub", ({ dy }) => [() => dy, () => mul(dy, -1)]);

/** Element by element `a · b`, broadcasting. */
export const mul = binary("mul", "Mul", ({ a, b, dy }) => [() => mul(dy, b), () => mul(dy, a)]);

/** Element by element `a / b`, broadcasting. */
export const div = binary("div", "Div", ({ b, y, dy }) => [
  () => div(dy, b),
  () => mul(div(mul(dy, y), b), -1),
]);

/** Element by element the smaller one, broadcasting. Not differentiable. */
export const minimum = binary("minimum", "Min");

/** Element by element the larger one, broadcasting. Not differentiable. */
export const maximum = binary("maximum", "Max");

/** Element by element the remainder of `a / b` for integers, with the sign of `b`, broadcasting. Not differentiable. */
export const modulo = binary("modulo", "Mod");
