import { isFloat } from "./dtype.ts";
import { add, mul } from "./ops/arithmetic.ts";
import { reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import { inScope } from "./scope.ts";
import { sizeOf } from "./shape.ts";
import { type Operation, Tensor } from "./tensor.ts";

/** Names the segment of a graph that an operation lies in; `undefined`: in none. */
export type SegmentOf = (operation: Operation) => string | undefined;

/** What of an operation its gradient reads. */
export type Values = Pick<Operation, "inputs" | "outputs">;

/**
 * Activation recomputation (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): what is computed inside a segment
 * is not kept for the backward pass but computed there again, from what flows into the segment.
 */
export class Recomputation {
  readonly #segmentOf: SegmentOf;
  readonly #segments = new Map<string, Segment>();

  constructor(segmentOf: SegmentOf) {
    this.#segmentOf = segmentOf;
  }

  /**
   * Inputs and outputs of an operation as its gradient is to read them: computed again if it lies in a segment.
   *
   * @param gradient of one of its outputs; nothing of the segment is computed again before it is there.
   */
  valuesOf(operation: Operation, gradient: Tensor): Values {
    const name = this.#segmentOf(operation);
    if (name === undefined) return operation;
    const segment = this.#segments.get(name) ?? new Segment(name, this.#segmentOf, gradient);
    this.#segments.set(name, segment);
    return segment.again(operation);
  }
}

class Segment {
  readonly #name: string;
  readonly #segmentOf: SegmentOf;
  /** Zero, but only known when the backward pass has come to the segment. */
  readonly #zero: Tensor;
  readonly #operations = new Map<Operation, Values>();
  readonly #fromOutside = new Map<Tensor, Tensor>();

  constructor(name: string, segmentOf: SegmentOf, gradient: Tensor) {
    this.#name = name;
    this.#segmentOf = segmentOf;
    const first = slice(reshape(gradient, [sizeOf(gradient.shape)]), 0, 0, 1);
    this.#zero = mul(reshape(first, []), 0);
  }

  again(operation: Operation): Values {
    const known = this.#operations.get(operation);
    if (known) return known;
    const outputs: Tensor[] = [];
    const inputs = operation.inputs.map((tensor) => this.#tensor(tensor));
    const scope = `again:${operation.scope}`;
    const copy: Operation = { ...operation, inputs, outputs, scope };
    for (const [output, { dtype, shape }] of operation.outputs.entries())
      outputs.push(new Tensor({ dtype, shape }, { kind: "operation", operation: copy, output }));
    this.#operations.set(operation, copy);
    return copy;
  }

  #tensor(tensor: Tensor): Tensor {
    if (tensor.source.kind !== "operation") return tensor;
    const { operation, output } = tensor.source;
    if (this.#segmentOf(operation) === this.#name) return this.again(operation).outputs[output] as Tensor;
    if (!isFloat(tensor.dtype)) return tensor;
    // Without the sum a runtime would find the same operations on the same numbers, and keep the first results after all.
    const late =
      this.#fromOutside.get(tensor) ?? inScope(`again:${operation.scope}`, () => add(tensor, this.#zero));
    this.#fromOutside.set(tensor, late);
    return late;
  }
}
