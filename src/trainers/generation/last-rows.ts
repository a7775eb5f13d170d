import { gather, gemm, reshape, type Tensor } from "../../tensor/index.ts";

/** What tensor room's `gemm` is called with. */
interface Product {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}

/**
 * Rows of logits (B, T, V), chosen by int32 indices (N) into the B·T rows → (N, V). Where logits are the product of hidden
 * states and a matrix, the states are chosen before the product: a prompt of T tokens needs one row of V numbers, not T.
 */
export function chosenRows(logits: Tensor, indices: Tensor): Tensor {
  const product = productIn(logits);
  if (product === undefined) return gather(reshape(logits, [-1, logits.dim(-1)]), indices);
  const [states, matrix, bias] = product.inputs as [Tensor, Tensor, Tensor | undefined];
  return gemm(gather(states, indices), matrix, product.attributes, bias);
}

/** The product of (B·T, C) states that logits are, whatever they were reshaped to. */
function productIn(logits: Tensor) {
  let tensor = logits;
  while (tensor.source.kind === "operation") {
    const { operator, inputs, attributes } = tensor.source.operation;
    if (operator.name === "gemm") {
      const product = attributes as Product;
      return product.transA || tensor.dim(1) !== logits.dim(-1) ? undefined : { inputs, attributes: product };
    }
    const [whole] = inputs;
    if (operator.name !== "reshape" || whole === undefined) return undefined;
    tensor = whole;
  }
  return undefined;
}
