import { TensorError } from "./errors.ts";
import { add } from "./ops/arithmetic.ts";
import { fill } from "./ops/fill.ts";
import { Recomputation, type SegmentOf, type Values } from "./recompute.ts";
import { inScope } from "./scope.ts";
import { describe, type Operation, type Tensor, Total } from "./tensor.ts";

/** Every operation that `outputs` depend on, inputs before users. Iterative: graphs are deeper than the call stack. */
export function operationsOf(outputs: Iterable<Tensor>): Operation[] {
  const seen = new Set<Operation>();
  const pending: Operation[] = [];
  const visit = (tensor: Tensor): void => {
    if (tensor.source.kind !== "operation" || seen.has(tensor.source.operation)) return;
    seen.add(tensor.source.operation);
    pending.push(tensor.source.operation);
  };
  for (const output of outputs) visit(output);
  for (let operation = pending.pop(); operation !== undefined; operation = pending.pop())
    for (const tensor of operation.inputs) visit(tensor);
  // A tensor's id is larger than those of everything it was computed from, so sorting by id is a topological order.
  return [...seen].sort((a, b) => firstId(a) - firstId(b));
}

function firstId(operation: Operation): number {
  return operation.outputs[0]?.id ?? -1;
}

/** Every leaf (input or constant) that `outputs` depend on. */
export function leavesOf(outputs: Iterable<Tensor>): Tensor[] {
  const roots = [...outputs];
  const leaves = new Set(roots.filter((tensor) => tensor.source.kind !== "operation"));
  for (const operation of operationsOf(roots))
    for (const tensor of operation.inputs) if (tensor.source.kind !== "operation") leaves.add(tensor);
  return [...leaves];
}

export interface GradOptions {
  /**
   * Segments of the graph whose inner values are not kept for the backward pass, but computed again when it comes to them: less
   * memory for about a third more computation. Default: none.
   */
  readonly segmentOf?: SegmentOf;
}

/**
 * Reverse-mode differentiation (Griewank & Walther, Evaluating Derivatives, ch. 3): extends the graph with
 * d `loss` / d each of `sources`.
 *
 * @param loss a scalar, shape ().
 * @returns one gradient a source, of its shape; `undefined` where the loss does not depend on it.
 * @param sources inputs: parameters, or what {@link input} gave. What an operation computed is none: graph building may pass
 *   it by (a reshape of a reshape is one), and its gradient would be wrong.
 * @throws TensorError when the loss is not a scalar, a source is not an input, or a path runs through an operator (or an
 *   output of one) that has no gradient.
 */
export function grad(
  loss: Tensor,
  sources: readonly Tensor[],
  { segmentOf }: GradOptions = {},
): (Tensor | undefined)[] {
  if (loss.rank !== 0)
    throw new TensorError(
      "LOSS_NOT_SCALAR",
      `grad: the loss must be a scalar, shape (); got ${describe(loss)}.`,
    );
  for (const source of sources)
    if (source.source.kind !== "input")
      throw new TensorError(
        "NOT_AN_INPUT",
        `grad: ${describe(source)} is computed or constant; gradients are taken for inputs and parameters.`,
      );
  const operations = operationsOf([loss]);
  const onPath = new Set<Tensor>(sources);
  for (const operation of operations)
    if (operation.inputs.some((tensor) => onPath.has(tensor)))
      for (const output of operation.outputs) onPath.add(output);

  const gradients = new Map<Tensor, Tensor>([[loss, fill(1, loss.dtype, [])]]);
  const recomputation = segmentOf && new Recomputation(segmentOf);
  for (const operation of operations.reverse()) {
    if (!operation.outputs.some((output) => gradients.has(output) && onPath.has(output))) continue;
    if (!operation.inputs.some((tensor) => onPath.has(tensor))) continue;
    // What a part of the model costs includes its gradient, and so does what an operator costs.
    inScope(`grad:${operation.scope}/${operation.operator.name}`, () => {
      const gradient = operation.outputs.map((output) => gradients.get(output)).find(Boolean);
      const values = (gradient && recomputation?.valuesOf(operation, gradient)) ?? operation;
      propagate(operation, values, gradients, onPath);
    });
  }
  return sources.map((source) => gradients.get(source));
}

/** Adds what flows through one operation to the gradients of its inputs. Its gradient reads `values`. */
function propagate(
  operation: Operation,
  values: Values,
  gradients: Map<Tensor, Tensor>,
  onPath: ReadonlySet<Tensor>,
): void {
  const { operator, inputs, outputs } = operation;
  if (operator.gradient === undefined)
    throw new TensorError("NOT_DIFFERENTIABLE", `grad: "${operator.name}" has no gradient.`);
  for (const [index, output] of outputs.entries())
    if (index > 0 && operator.auxiliaryOutputs === true && gradients.has(output))
      throw new TensorError(
        "NOT_DIFFERENTIABLE",
        `grad: output ${index} of "${operator.name}" serves its gradient and has none itself (a second derivative, probably).`,
      );
  const parts = operator.gradient({
    ...operation,
    ...values,
    outputGradients: outputs.map((output) => gradients.get(output)),
    needed: (index) => onPath.has(inputs[index] as Tensor),
    accumulated: (index) => gradients.get(inputs[index] as Tensor),
  });
  for (const [index, part] of parts.entries()) {
    const tensor = inputs[index];
    if (part === undefined || tensor === undefined || !onPath.has(tensor)) continue;
    const before = gradients.get(tensor);
    if (part instanceof Total) gradients.set(tensor, part.tensor);
    else gradients.set(tensor, before === undefined ? part : add(before, part));
  }
}
