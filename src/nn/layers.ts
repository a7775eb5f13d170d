import { gather, layerNorm, linear, mul, rmsNorm, type Tensor } from "../tensor/index.ts";
import type { ForwardContext } from "./context.ts";
import { Module } from "./module.ts";
import { type Initializer, normal, ones, Parameter, zeros } from "./parameter.ts";

export interface LinearOptions {
  readonly bias?: boolean;
  /** First values of the weight. Default: normal with standard deviation 0.02. */
  readonly initialize?: Initializer;
}

/** y = x · weightᵀ + bias. Weight (out, in), as in PyTorch; x (…, in) → (…, out). */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    inputSize: number,
    outputSize: number,
    { bias = true, initialize = normal(0.02) }: LinearOptions = {},
  ) {
    super();
    this.weight = new Parameter([outputSize, inputSize], initialize);
    this.bias = bias ? new Parameter([outputSize], zeros) : undefined;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias, { transposed: true });
  }
}

/** y = x · weight + bias. Weight (in, out): the layout in which GPT-2's checkpoints keep their linear layers. */
export class Conv1D extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(inputSize: number, outputSize: number, initialize: Initializer = normal(0.02)) {
    super();
    this.weight = new Parameter([inputSize, outputSize], initialize);
    this.bias = new Parameter([outputSize], zeros);
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

/** A vector for each id: int32 ids (…) → (…, size). */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(count: number, size: number, initialize: Initializer = normal(0.02)) {
    super();
    this.weight = new Parameter([count, size], initialize);
  }

  forward(ids: Tensor): Tensor {
    return gather(this.weight, ids);
  }
}

/** Layer normalisation over the last axis with learned scale and shift (Ba, Kiros, Hinton 2016). */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #epsilon: number;

  constructor(size: number, epsilon = 1e-5) {
    super();
    this.weight = new Parameter([size], ones);
    this.bias = new Parameter([size], zeros);
    this.#epsilon = epsilon;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.#epsilon);
  }
}

/** Division by the root mean square over the last axis, with learned scale (Zhang & Sennrich 2019). */
export class RMSNorm extends Module {
  readonly weight: Parameter;
  readonly #epsilon: number;

  constructor(size: number, epsilon = 1e-6) {
    super();
    this.weight = new Parameter([size], ones);
    this.#epsilon = epsilon;
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.#epsilon);
  }
}

/** Sets elements to 0 with the given probability while training and scales the others by 1/(1 − p) (Srivastava et al. 2014). */
export function dropout(x: Tensor, probability: number, context: ForwardContext): Tensor {
  const factors = context.dropoutFactors(x.shape, probability);
  return factors ? mul(x, factors) : x;
}

/** What a {@link Sequential} is made of: modules, and functions without parameters. */
type Part = { forward(x: Tensor): Tensor } | ((x: Tensor) => Tensor);

/**
 * Parts one after the other, each reading what the one before gave. Parameters are named by the place of their part, as in
 * PyTorch: `mlp.0.weight`.
 *
 * @example readonly mlp = new Sequential(new Linear(64, 256), gelu, new Linear(256, 64));
 */
export class Sequential extends Module {
  readonly #parts: readonly Part[];

  constructor(...parts: Part[]) {
    super();
    this.#parts = parts;
    for (const [place, part] of parts.entries())
      if (part instanceof Module) Object.defineProperty(this, place, { value: part, enumerable: true });
  }

  forward(x: Tensor): Tensor {
    return this.#parts.reduce((y, part) => (typeof part === "function" ? part(y) : part.forward(y)), x);
  }
}
