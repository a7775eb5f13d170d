/** Deliberately wrong masked language models and classifiers. What all tasks share is in model-faults.test.ts. */
import { describe, test } from "vitest";
import type { Model, ModelInputs } from "../../src/models/index.ts";
import type { ForwardContext } from "../../src/nn/index.ts";
import type { Factory } from "../../src/registry/index.ts";
import { add, argmax, cast, reduceSum, reshape, slice, type Tensor } from "../../src/tensor/index.ts";
import { type ModelConformanceOptions, modelConformance } from "../../src/testing/model.ts";
import { type Fault, testFaults } from "./faults.ts";
import { Right, RightClassifier, RightMasked } from "./right-models.ts";

/** Checks of a task that a causal language model does not have, or whose outcome hangs on the task. */
function ownChecks(own: readonly string[]) {
  return (build: Factory<Model>, options?: ModelConformanceOptions) =>
    modelConformance(build, options).filter(({ name }) => own.includes(name));
}

type Changed<Base> = new (...given: never[]) => Base;

/** A right model told something else. */
function told(
  base: Changed<RightMasked> | Changed<RightClassifier>,
  change: (inputs: ModelInputs) => ModelInputs,
) {
  return class extends (base as Changed<RightMasked>) {
    override forward(inputs: ModelInputs, context: ForwardContext) {
      return super.forward(change(inputs), context);
    }
  } as unknown as Factory<Model>;
}

const withoutMask = ({ attentionMask: _, ...rest }: ModelInputs): ModelInputs => rest;

const masked = { task: "masked_lm" } as const;
const classifier = { task: "sequence_classification" } as const;
const bothSides = "a token is guessed from the ids on both sides";
const padding = "padding changes nothing that counts";
const packing = "documents packed into a row do not see each other";
const labelled = "labels are the names that it was given";
const shaped = "logits are float32 (batch, labels)";

for (const [what, build, options] of [
  ["a masked language model", RightMasked, masked],
  ["a classifier", RightClassifier, classifier],
] as const)
  describe(`${what} that is right passes everything`, () => {
    for (const { name, run } of modelConformance(build as Factory<Model>, options)) test(name, run);
  });

describe("masked language models", () => {
  const faults: Fault<Model, ModelConformanceOptions>[] = [
    {
      check: "the task is masked_lm",
      fault: "a causal language model",
      build: Right,
      says: /Its task is "causal_lm"; expected "masked_lm"/,
    },
    {
      check: bothSides,
      fault: "only what stands before",
      build: class extends RightMasked {
        override mixed(inputs: ModelInputs) {
          return super.mixed(inputs, true);
        }
      },
      says: /The logits at position 0 stay the same when ids after it change.*both sides/,
    },
    {
      check: bothSides,
      fault: "only the token itself",
      build: class extends RightMasked {
        override mixed(inputs: ModelInputs) {
          return this.hidden(inputs);
        }
      },
      says: /The logits at position 7 stay the same when ids before it change/,
    },
    {
      check: padding,
      fault: "a mask that is not looked at",
      build: told(RightMasked, withoutMask),
      says: /1 ids by themselves give logits that differ by .* from those within 12 positions.*11 are padding/,
    },
    {
      check: packing,
      fault: "a mask that is not looked at",
      build: told(RightMasked, withoutMask),
      says: /Document 1 of 2 in one row gives logits that differ by/,
    },
  ];
  const own = ownChecks(["the task is masked_lm", bothSides, padding, packing]);
  testFaults(own, { build: RightMasked, options: masked }, faults);
});

describe("classifiers", () => {
  const wrongLogits = (change: (logits: Tensor) => Tensor): Factory<Model> =>
    class extends RightClassifier {
      override forward(inputs: ModelInputs, context: ForwardContext) {
        return { logits: change(super.forward(inputs, context).logits) };
      }
    };
  const wrongLabels = (labels: readonly string[] | undefined): Factory<Model> =>
    class extends RightClassifier {
      constructor(options: { vocabSize: number; labels: readonly string[] }) {
        super(options);
        this.labels = labels as readonly string[];
      }
    };
  const faults: Fault<Model, ModelConformanceOptions>[] = [
    {
      check: "the task is sequence_classification",
      fault: "a masked language model",
      build: ({ vocabSize }) => new RightMasked({ vocabSize }),
      says: /Its task is "masked_lm"; expected "sequence_classification"/,
    },
    {
      check: labelled,
      fault: "no labels",
      build: wrongLabels(undefined),
      says: /labels is undefined; expected the names of a classifier's classes/,
    },
    {
      check: labelled,
      fault: "labels in another order",
      build: wrongLabels(["high", "middle", "low"]),
      says: /labels is \[high, middle, low\]; expected \[low, middle, high\], in this order/,
    },
    {
      check: shaped,
      fault: "a logit too few",
      build: wrongLogits((logits) => slice(logits, 1, 0, 2)),
      says: /forward gave the logits float32\(2, 2\); expected float32\(2, 3\): batch, labels/,
    },
    {
      check: shaped,
      fault: "the class instead of logits",
      build: wrongLogits((logits) => argmax(logits)),
      says: /forward gave the logits int32\(2\); expected float32\(2, 3\)/,
    },
    {
      check: padding,
      fault: "a mask that is not looked at",
      build: told(RightClassifier, withoutMask),
      says: /1 ids by themselves give logits that differ by .* from those within 12 positions/,
    },
    {
      check: "rows of a batch do not depend on each other",
      fault: "a sum over the batch",
      build: wrongLogits((logits) => add(logits, reduceSum(logits, { axes: [0], keepDims: true }))),
      says: /rows of a batch must not mix/,
    },
    {
      check: "logits depend on the input ids",
      fault: "ids that are not looked at",
      build: class extends RightClassifier {
        override hidden({ inputIds }: ModelInputs) {
          const none = reshape(cast(cast(inputIds, "bool"), "float32"), [
            inputIds.dim(0),
            inputIds.dim(1),
            1,
          ]);
          return add(
            slice(this.positions.weight, 0, 0, inputIds.dim(1)),
            reduceSum(none, { axes: [1], keepDims: true }),
          );
        }
      },
      says: /The logits are the same for other input ids/,
    },
  ];
  const own = ownChecks([
    "the task is sequence_classification",
    labelled,
    shaped,
    padding,
    "rows of a batch do not depend on each other",
    "logits depend on the input ids",
  ]);
  testFaults(own, { build: RightClassifier as Factory<Model>, options: classifier }, faults);
});
