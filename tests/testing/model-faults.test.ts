import { test } from "vitest";
import type { Model, ModelInputs, ModelOutputs } from "../../src/models/index.ts";
import { type ForwardContext, Parameter, zeros } from "../../src/nn/index.ts";
import type { Factory } from "../../src/registry/index.ts";
import {
  add,
  argmax,
  broadcastTo,
  cast,
  constant,
  div,
  gather,
  minimum,
  mul,
  reduceSum,
  reshape,
  scalar,
  slice,
  sqrt,
  type Tensor,
  transpose,
} from "../../src/tensor/index.ts";
import { type ModelConformanceOptions, modelConformance } from "../../src/testing/model.ts";
import { type Fault, testFaults } from "./faults.ts";
import { Right, RightCached, RightMasked } from "./right-models.ts";

/** The right one with its logits changed. */
function wrongLogits(change: (logits: Tensor, model: Right, inputs: ModelInputs) => Tensor): Factory<Model> {
  return class extends Right {
    override forward(inputs: ModelInputs, context: ForwardContext) {
      return { logits: change(super.forward(inputs, context).logits, this, inputs) };
    }
  };
}

/** The right one that is told something else. */
function changedInputs(change: (inputs: ModelInputs) => ModelInputs): Factory<Model> {
  return class extends Right {
    override forward(inputs: ModelInputs, context: ForwardContext) {
      return super.forward(change(inputs), context);
    }
  };
}

/** The right one with a cache, which is told something else of the past, or gives other keys and values. */
function wrongCache(
  change: (inputs: ModelInputs) => ModelInputs,
  give: (outputs: ModelOutputs) => ModelOutputs = (outputs) => outputs,
): Factory<Model> {
  return class extends RightCached {
    override forward(inputs: ModelInputs, context: ForwardContext) {
      return give(super.forward(inputs.pastKeyValues ? change(inputs) : inputs, context));
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
const cached = "keyValues taken back give the logits of the whole sequence";
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
    check: "the task is causal_lm",
    fault: "a model for something else",
    build: RightMasked,
    says: /Its task is "masked_lm"; expected "causal_lm", .*option `task` of modelConformance/,
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
    check: "documents packed into a row do not see each other",
    fault: "a mask that says only where padding is",
    build: changedInputs(({ attentionMask, ...rest }) => ({
      ...rest,
      ...(attentionMask && { attentionMask: cast(cast(attentionMask, "bool"), "int32") }),
    })),
    says: /Document 2 of 2 in one row gives logits that differ by .*see those of their own number in attentionMask alone/,
  },
  {
    check: "documents packed into a row do not see each other",
    fault: "positions that go on over the end of a document",
    build: changedInputs(({ positionIds, ...rest }) => rest),
    says: /Document 2 of 2 in one row gives .*positionIds says where in a document they are/,
  },
  {
    check: "inputs that are left out mean one text from position 0",
    fault: "positions from 1",
    build: changedInputs(({ positionIds, ...rest }) => ({
      ...rest,
      ...(positionIds && { positionIds: minimum(add(positionIds, 1), 11) }),
    })),
    says: /With positionIds \[0, 1, 2 …\] the logits differ by .*that is what leaving it out means/,
  },
  {
    check: "padding changes nothing that counts",
    fault: "a scale that depends on how much is padding",
    build: wrongLogits((logits, _, { attentionMask }) => {
      if (attentionMask === undefined) return logits;
      const share = mul(
        reduceSum(cast(attentionMask, "float32"), { axes: [1] }),
        1 / Number(attentionMask.dim(1)),
      );
      return mul(logits, reshape(share, [-1, 1, 1]));
    }),
    says: /1 ids by themselves give logits that differ by .* within 12 positions, of which attentionMask says that 11 are padding/,
  },
  {
    check: "a row of nothing but padding gives finite numbers",
    fault: "a mean over nothing",
    build: wrongLogits((logits, _, { attentionMask }) =>
      attentionMask === undefined
        ? logits
        : div(logits, reshape(reduceSum(cast(attentionMask, "float32"), { axes: [1] }), [-1, 1, 1])),
    ),
    says: /The logits over \(2, 8\) hold (NaN|-?Infinity); expected finite numbers/,
  },
  {
    check: "a row of nothing but padding gives finite numbers",
    fault: "a gradient that is not finite",
    build: wrongLogits((logits, model, { attentionMask }) => {
      if (attentionMask === undefined) return logits;
      const total = reshape(reduceSum(cast(attentionMask, "float32"), { axes: [1] }), [-1, 1, 1]);
      const zero = mul(reduceSum(model.head.weight), total);
      return add(logits, sqrt(mul(zero, zero)));
    }),
    says: /The gradient of "head.weight" holds NaN; expected finite numbers/,
  },
  {
    check: cached,
    fault: "keys and values that are given and not taken back",
    build: wrongCache(({ pastKeyValues: _, ...inputs }) => ({
      ...inputs,
      attentionMask: inputs.inputIds,
    })),
    says: /its logits do not depend on attention_mask int32\(batch_size, \(past_sequence_length\+1\)\).*forward\(\) must use pastKeyValues/,
  },
  {
    check: cached,
    fault: "a token that always stands first",
    build: wrongCache(({ positionIds: _, ...inputs }) => inputs),
    says: /The logits after 2 ids differ by .* of the ids before the last is kept.*positionIds for the new/,
  },
  {
    check: cached,
    fault: "keys and values as (B, T, KV, D)",
    build: wrongCache(
      (inputs) => inputs,
      ({ logits, keyValues = [] }) => ({
        logits,
        keyValues: keyValues.map(({ key, value }) => ({ key: transpose(key, [0, 2, 1, 3]), value })),
      }),
    ),
    says: /keyValues\[0\] are float32\(batch_size, sequence_length, 1, 6\) and .*expected float32 \(batch_size, key-value heads, sequence_length, head size\)/,
  },
  {
    check: cached,
    fault: "keys and values of the past once more",
    build: wrongCache(
      (inputs) => inputs,
      ({ logits, keyValues = [] }) => ({
        logits,
        keyValues: [...keyValues, ...keyValues].slice(0, traces++ % 2 === 0 ? 1 : 2),
      }),
    ),
    says: /gave keyValues of 1 layers, and of 2 layers or other sizes when it was given pastKeyValues/,
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

for (const { name, run } of modelConformance(RightCached, { invalidOptions: [{ vocabSize: "many" }] }))
  test(`the right one with a cache passes: ${name}`, run);
