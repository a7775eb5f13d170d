import { operationsOf } from "./autodiff.ts";
import { staticShape } from "./shape.ts";
import type { Operation, Tensor } from "./tensor.ts";

/**
 * Floating-point operations of the products of matrices in one operation: 2 for each multiplication and its addition. What goes
 * element by element is not counted, nor are sums, also where they are computed as a product with one column: that is how the
 * literature counts (Kaplan et al. 2020, section 2.1; Chowdhery et al. 2022, appendix B).
 *
 * @throws TensorError when a product's size is not known: a dimension is a symbol.
 */
function flopsOf({ operator, inputs, outputs, attributes }: Operation): number {
  const products = operator.products?.({ inputs, outputs, attributes }) ?? [];
  return products
    .filter((sizes) => sizes.at(-2) !== 1)
    .reduce((sum, sizes) => sum + 2 * multiplied(staticShape(sizes, operator.name)), 0);
}

/** The same of everything that is computed for `outputs`, by the operation that it belongs to; see {@link placeOf}. */
export function flopsByPlace(outputs: Iterable<Tensor>): ReadonlyMap<string, number> {
  const flops = new Map<string, number>();
  for (const operation of operationsOf(outputs)) {
    const place = placeOf(operation);
    flops.set(place, (flops.get(place) ?? 0) + flopsOf(operation));
  }
  return flops;
}

/** The same in one number. */
export function countFlops(outputs: Iterable<Tensor>): number {
  return operationsOf(outputs).reduce((sum, operation) => sum + flopsOf(operation), 0);
}

/**
 * Where an operation belongs: `<scope>/<operator>`, `gpt.h.3.attn/attention`. Of a gradient the scope says whose it is:
 * `grad:gpt.h.3.ln_1/layerNorm/mul` is a product in the gradient of a layer norm.
 */
export function placeOf({ scope, operator }: Pick<Operation, "scope" | "operator">): string {
  return `${scope && `${scope}/`}${operator.name}`;
}

function multiplied(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}
