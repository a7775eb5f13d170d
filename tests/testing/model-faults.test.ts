import type { Model, ModelInputs } from "../../src/models/index.ts";
import {
  Embedding,
  type ForwardContext,
  Linear,
  Module,
  normal,
  Parameter,
  zeros,
} from "../../src/nn/index.ts";
import { type Factory, InvalidOptionError } from "../../src/registry/index.ts";
import {
  add,
  argmax,
  broadcastTo,
  cast,
  constant,
  gather,
  mul,
  reduceSum,
  reshape,
  scalar,
  slice,
  sqrt,
  type Tensor,
} from "../../src/tensor/index.ts";
import { type ModelConformanceOptions, modelConformance } from "../../src/testing/model.ts";
import { type Fault, testFaults } from "./faults.ts";

/** Right: a table of what follows each id, plus one for its position. */
class Right extends Module implements Model {
  readonly task = "causal_lm";
  readonly maxPositionEmbeddings = 12;
  readonly vocabSize: number;
  config: Record<string, unknown>;
  readonly tokens: Embedding;
  readonly positions: Embedding;
  readonly head: Linear;

  constructor({ vocabSize, ...unknown }: { vocabSize: number }) {
    super();
    for (const name of Object.keys(unknown)) throw new InvalidOptionError(name, "unknown option");
    if (!Number.isInteger(vocabSize)) throw new InvalidOptionError("vocabSize", "expected an integer");
    this.vocabSize = vocabSize;
    this.config = { model_type: "table", vocab_size: vocabSize };
    this.tokens = new Embedding(vocabSize, 6, normal(1));
    this.positions = new Embedding(this.maxPositionEmbeddings, 6, normal(1));
    this.head = new Linear(6, vocabSize);
  }

  /** (B, T, C) */
  hidden({ inputIds }: ModelInputs): Tensor {
    return add(this.tokens.forward(inputIds), slice(this.positions.weight, 0, 0, inputIds.dim(1)));
  }

  forward(inputs: ModelInputs, _context: ForwardContext) {
    return { logits: this.head.forward(this.hidden(inputs)) };
  }
}

/** The right one with its logits changed. */
function wrongLogits(change: (logits: Tensor, model: Right, inputs: ModelInputs) => Tensor): Factory<Model> {
  return class extends Right {
    override forward(inputs: ModelInputs, context: ForwardContext) {
      return { logits: change(super.forward(inputs, context).logits, this, inputs) };
    }
  };
}

/** The right one with more parameters, which its logits are made with. */
function withParameter(
  parameter: () => Parameter,
  use: (logits: Tensor, extra: Parameter) => Tensor,
): Factory<Model> {
  return class extends Right {
    readonly extra = parameter();
    override forward(inputs: ModelInputs, context: ForwardContext) {
      return { logits: use(super.forward(inputs, context).logits, this.extra) };
    }
  };
}

/** The right one with something replaced. */
const wrong =
  (change: (base: Right) => { readonly [Key in keyof Model]?: unknown }): Factory<Model> =>
  (options: { vocabSize: number }) => {
    const base = new Right(options);
    return Object.assign(base, change(base)) as Model;
  };

let traces = 0;

const configured = "config is plain JSON with a model_type";
const named = "parameters have names of their own, and stay the same";
const valued = "every parameter gets finite first values";
const shaped = "logits are float32 (batch, sequence, vocabSize)";
const differentiable = "every parameter gets a gradient";

const faults: Fault<Model, ModelConformanceOptions>[] = [
  {
    check: "a build fulfils the contract",
    fault: "no config",
    build: wrong(() => ({ config: undefined })),
    says: /model "under test".* expected an object `config`/,
  },
  {
    check: "an unknown option is refused",
    fault: "options that are not looked at",
    build: ({ vocabSize }) => new Right({ vocabSize }),
    says: /noSuchOption was accepted/,
  },
  {
    check: 'the options { vocabSize: "many" } are refused',
    fault: "an option that is not looked at",
    build: () => new Right({ vocabSize: 23 }),
    says: /\{ vocabSize: "many" \} were accepted/,
  },
  {
    check: "two builds have the same parameters, first values and graph",
    fault: "first values that chance decides",
    build: withParameter(() => new Parameter([1], (values) => void values.fill(Math.random())), add),
    says: /Two builds .* differ: first values\.extra is "/,
  },
  {
    check: configured,
    fault: "no model_type",
    build: wrong(() => ({ config: { vocab_size: 23 } })),
    says: /config\.model_type is undefined; expected a name such as "gpt2"/,
  },
  {
    check: configured,
    fault: "the wrong vocab_size",
    build: wrong(() => ({ config: { model_type: "table", vocab_size: 24 } })),
    says: /config\.vocab_size is 24; expected the model's vocabSize, 23/,
  },
  {
    check: configured,
    fault: "what JSON cannot hold",
    build: wrong(() => ({ config: { model_type: "table", scale: Number.NaN } })),
    says: /config\.scale is NaN; expected plain JSON/,
  },
  {
    check: named,
    fault: "a parameter without a name",
    build: wrong((base) => ({ parameters: () => [base.head.weight, new Parameter([1], zeros)] })),
    says: /parameters\(\)\[0\] has the name ""; expected one that is not empty/,
  },
  {
    check: named,
    fault: "two parameters of one name",
    build: wrong(() => {
      const parameters = [new Parameter([1], zeros, "w"), new Parameter([1], zeros, "w")];
      return { parameters: () => parameters };
    }),
    says: /Two parameters are called "w"/,
  },
  {
    check: named,
    fault: "a name that the graph of training uses",
    build: wrong(() => {
      const parameters = [new Parameter([1], zeros, "labels")];
      return { parameters: () => parameters };
    }),
    says: /TrainingError: The model has a parameter "labels", which is what the graph calls something of its own/,
  },
  {
    check: named,
    fault: "nothing to train",
    build: wrong(() => ({ parameters: () => [] })),
    says: /parameters\(\) is empty; expected at least one/,
  },
  {
    check: named,
    fault: "other parameters at each call",
    build: wrong(() => ({ parameters: () => [new Parameter([1], zeros, "w")] })),
    says: /A second call of parameters\(\) gave other tensors/,
  },
  {
    check: named,
    fault: "what is no parameter",
    build: wrong(() => {
      const parameters = [{ name: "w", dtype: "float32", dims: [1] }];
      return { parameters: () => parameters };
    }),
    says: /The parameter "w" has no initialize; expected a `Parameter`/,
  },
  {
    check: named,
    fault: "an empty axis",
    build: withParameter(
      () => new Parameter([0, 2], zeros),
      (logits) => logits,
    ),
    says: /The parameter "extra" is float32\(0,2\); expected float32 with axes of 1 or more/,
  },
  {
    check: valued,
    fault: "an initializer that leaves the end as it was",
    build: withParameter(
      () => new Parameter([3], (values) => void values.fill(0, 0, 2)),
      (logits) => logits,
    ),
    says: /The first value 2 of the parameter "extra" is NaN; expected a finite number/,
  },
  {
    check: shaped,
    fault: "logits of another vocabulary",
    build: wrongLogits((logits) => slice(logits, 2, 0, 20)),
    says: /For evaluation over int32\(2, 4\), forward gave the logits float32\(2, 4, 20\); expected float32\(2, 4, 23\)/,
  },
  {
    check: shaped,
    fault: "no logits",
    build: wrongLogits(() => undefined as never),
    says: /forward gave the logits undefined; expected float32/,
  },
  {
    check: shaped,
    fault: "other logits while training",
    build: class extends Right {
      override forward(inputs: ModelInputs, context: ForwardContext) {
        const { logits } = super.forward(inputs, context);
        return { logits: context.training ? cast(logits, "int32") : logits };
      }
    },
    says: /For training over int32\(2, 4\), forward gave the logits int32\(2, 4, 23\)/,
  },
  {
    check: "logits depend on the input ids",
    fault: "ids that are not looked at",
    build: wrongLogits((_, model, { inputIds }) =>
      broadcastTo(model.head.bias as Tensor, [inputIds.dim(0), inputIds.dim(1), model.vocabSize]),
    ),
    says: /The logits are the same for other input ids; expected them to depend on inputIds/,
  },
  {
    check: differentiable,
    fault: "a parameter that is not used",
    build: withParameter(
      () => new Parameter([2], zeros),
      (logits) => logits,
    ),
    says: /The logits do not depend on the parameter "extra", so it would never be trained/,
  },
  {
    check: differentiable,
    fault: "a parameter behind an operator that has no gradient",
    build: withParameter(
      () => new Parameter([1, 2], zeros),
      (logits, extra) => add(logits, cast(argmax(extra), "float32")),
    ),
    says: /No gradient reaches the parameter "extra", extra float32\(1, 2\): TensorError: cast: there is no gradient between/,
  },
  {
    check: differentiable,
    fault: "a parameter that only chooses",
    build: withParameter(
      () => new Parameter([1], zeros),
      (logits, extra) => add(logits, gather(constant([1, 2], "float32", [2, 1]), cast(extra, "int32"))),
    ),
    says: /No gradient reaches the parameter "extra", extra float32\(1\): every path from it stops on the way/,
  },
  {
    check: differentiable,
    fault: "a gradient that is not finite",
    build: withParameter(
      () => new Parameter([1], zeros),
      (logits, extra) => add(logits, sqrt(mul(extra, extra))),
    ),
    says: /The gradient of "extra" holds NaN; expected finite numbers/,
  },
  {
    check: "forward is pure: two traces give the same graph",
    fault: "a count of calls in the graph",
    build: wrongLogits((logits) => mul(logits, scalar(1 + traces++, "float32"))),
    says: /Two traces of forward for evaluation gave different graphs .*not on chance, time or earlier calls/,
  },
  {
    check: "causal: no logit depends on a later id",
    fault: "a sum over all positions",
    build: wrongLogits((logits) => add(logits, reduceSum(logits, { axes: [1], keepDims: true }))),
    says: /The logits at position 0 changed by [\d.e+]+ % of the largest logit when ids from position 1 on changed/,
  },
  {
    check: "a shorter sequence gives what it gives within a longer one",
    fault: "a scale that depends on the length",
    build: wrongLogits((logits, _, { inputIds }) =>
      mul(logits, scalar(1 / Number(inputIds.dim(1)), "float32")),
    ),
    says: /The first 1 ids by themselves give logits that differ by .* from those within 12 ids.*maxPositionEmbeddings \(12\)/,
  },
  {
    check: "a shorter sequence gives what it gives within a longer one",
    fault: "more positions promised than there are",
    build: wrong(() => ({ maxPositionEmbeddings: 13 })),
    says: /The component threw: TensorError: .*slice/,
  },
  {
    check: "rows of a batch do not depend on each other",
    fault: "a sum over the batch",
    build: wrongLogits((logits) => add(logits, reduceSum(logits, { axes: [0], keepDims: true }))),
    says: /A sequence gives logits that differ by .* when it is row 0 of a batch with another.*rows of a batch must not mix/,
  },
  {
    check: "free axes give the same numbers",
    fault: "another graph where the length is free",
    build: wrongLogits((logits, _, { inputIds }) =>
      typeof inputIds.dim(1) === "string" ? mul(logits, 2) : logits,
    ),
    says: /Traced with free axes, the logits over \(2, 8\) differ by/,
  },
  {
    check: "free axes give the same numbers",
    fault: "a length that must be a number",
    build: wrongLogits((logits, _, { inputIds }) =>
      reshape(logits, [inputIds.dim(0), Number(inputIds.dim(1)), 23]),
    ),
    says: /The component threw: TensorError: .*NaN/,
  },
];

testFaults(modelConformance, { build: Right, options: { invalidOptions: [{ vocabSize: "many" }] } }, faults);
