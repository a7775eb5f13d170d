import { TensorError } from "../errors.ts";
import { broadcastShapes } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";

function logical(name: string, onnx: string) {
  return defineOperator<undefined>({
    name,
    infer: (inputs) => {
      for (const tensor of inputs)
        if (tensor.dtype !== "bool")
          throw new TensorError("DTYPE_MISMATCH", `${name}: needs truth values; got ${describe(tensor)}.`);
      const [a, b] = inputs as [Tensor, Tensor | undefined];
      return [{ dtype: "bool", shape: b ? broadcastShapes(name, a.shape, b.shape) : a.shape }];
    },
    lower: (lowering, inputs) => lowering.node(onnx, inputs),
  });
}

const applyAnd = logical("logicalAnd", "And");
const applyOr = logical("logicalOr", "Or");
const applyNot = logical("logicalNot", "Not");

/** Element by element whether both hold, broadcasting: bool and bool → bool. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return applyAnd([a, b], undefined)[0];
}

/** Element by element whether one or both hold, broadcasting: bool and bool → bool. */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  return applyOr([a, b], undefined)[0];
}

/** Element by element the opposite: bool → bool. */
export function logicalNot(x: Tensor): Tensor {
  return applyNot([x], undefined)[0];
}
