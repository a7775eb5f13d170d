import { broadcastShapes } from "../shape.ts";
import { defineOperator, type GradientRequest, type Operator, type Tensor } from "../tensor.ts";
import { type Operand, tensorsOf } from "./operands.ts";
import { sumTo } from "./reduce.ts";
import { elementwise } from "./reshape.ts";

type BinaryGradient = (request: {
  a: Tensor;
  b: Tensor;
  y: Tensor;
  dy: Tensor;
}) => readonly [() => Tensor, () => Tensor];

/** Defines an operator on two tensors of one dtype that broadcasts; `rule` gives gradients before they are summed back. */
export function binary(
  name: string,
  onnx: string,
  rule?: BinaryGradient,
): (a: Operand, b: Operand) => Tensor {
  const operator: Operator<undefined> = {
    name,
    infer: ([a, b]) => {
      const [left, right] = [a as Tensor, b as Tensor];
      return [{ dtype: left.dtype, shape: broadcastShapes(name, left.shape, right.shape) }];
    },
    ...(rule && { gradient: binaryGradient(rule) }),
    lower: (lowering, inputs) => lowering.node(onnx, inputs),
  };
  const apply = defineOperator(operator);
  return (a, b) => elementwise(tensorsOf(name, a, b), (x, y) => apply([x, y], undefined)[0]);
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

/** Element by element the remainder of `a / b` for integers, with the sign of `b`, broadcasting. Not differentiable. */
export const modulo = binary("modulo", "Mod");
