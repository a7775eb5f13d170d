import { z } from "zod";
import type { Model } from "../models/index.ts";
import { adafactor, adamW, lion, muon, type Optimizer, sgd } from "../optim/index.ts";
import { TrainingError } from "./errors.ts";
import { layerOf, parameterMatcher } from "./parameter-groups.ts";

const fraction = z.number().min(0).lt(1);
const positive = z.number().positive();

const forms = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("adamw").describe("The optimizer; its name alone stands for it with its defaults."),
  }),
  z.strictObject({
    name: z.literal("sgd"),
    momentum: fraction.default(0).describe("Share of the last change that is made again."),
    dampening: fraction.default(0).describe("Share of a gradient that momentum leaves out."),
    nesterov: z.boolean().default(false).describe("Nesterov's momentum, which looks one step ahead."),
  }),
  z.strictObject({
    name: z.literal("lion"),
    beta1: fraction.default(0.9).describe("Share of the momentum in the direction of an update."),
    beta2: fraction.default(0.99).describe("Decay of the momentum."),
  }),
  z.strictObject({
    name: z.literal("adafactor"),
    beta2Decay: z
      .number()
      .max(0)
      .default(-0.8)
      .describe("Exponent of the share that the gradient of update t has in the mean of squares."),
    epsilon1: positive.default(2 ** -23).describe("Smallest root of a mean of squares."),
    epsilon2: positive
      .default(1e-3)
      .describe("Smallest size of a parameter that its changes are relative to."),
    d: z
      .number()
      .min(1)
      .default(1)
      .describe("Largest root mean square of a change, before the learning rate."),
  }),
  z.strictObject({
    name: z.literal("muon"),
    momentum: fraction.default(0.95).describe("Decay of the mean of gradients."),
    nesterov: z.boolean().default(true).describe("Nesterov's momentum, which looks one step ahead."),
    nsSteps: z.int().positive().default(5).describe("Newton-Schulz iterations."),
    nsCoefficients: z
      .tuple([z.number(), z.number(), z.number()])
      .default([3.4445, -4.775, 2.0315])
      .describe("a, b and c of an iteration."),
    epsilon: positive.default(1e-7).describe("Smallest norm that a momentum is divided by."),
    adjustLrFn: z
      .enum(["match_rms_adamw", "original", "spectral_unclamped"])
      .default("match_rms_adamw")
      .describe(
        "Factor of the learning rate by the shape of a matrix; with the first, learning rates are AdamW's. The others take rows for outputs, as in Linear (Conv1D has them in columns).",
      ),
    parameters: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        "Matrices that it updates, by name; all else goes to AdamW. Default: those of the layers (a number in their names), so neither embeddings nor the head.",
      ),
  }),
]);

type OptimizerForm = z.output<typeof forms>;
type OptimizerName = OptimizerForm["name"];

/** What follows from the optimizer where nothing else is said: as in its paper or reference implementation. */
const defaults: Readonly<
  Record<OptimizerName, { readonly learningRate: number; readonly weightDecay: number }>
> = {
  adamw: { learningRate: 1e-3, weightDecay: 0.1 },
  muon: { learningRate: 1e-3, weightDecay: 0.1 },
  lion: { learningRate: 1e-4, weightDecay: 0 },
  adafactor: { learningRate: 1e-2, weightDecay: 0 },
  sgd: { learningRate: 1e-3, weightDecay: 0 },
};

/** Options about the update rule, by the names of Hugging Face's TrainingArguments and of PyTorch's optimizers. */
export const optimizerFields = {
  learningRate: positive
    .optional()
    .describe("Peak learning rate. Default: 1e-3; with lion 1e-4, with adafactor 1e-2 (an upper bound)."),
  optim: z
    .union([
      z.enum(["adamw", "sgd", "lion", "adafactor", "muon"]).transform((name) => forms.parse({ name })),
      forms,
    ])
    .prefault("adamw")
    .describe("The optimizer: its name, or its name with options."),
  weightDecay: z
    .number()
    .min(0)
    .optional()
    .describe(
      "Decay of matrices. Default: 0.1 with adamw and muon, else 0. Decoupled, but with sgd an L2 penalty.",
    ),
  adamBeta1: fraction
    .optional()
    .describe("Decay of AdamW's mean of gradients, also of what muon leaves to it. Default: 0.9."),
  adamBeta2: fraction.optional().describe("Decay of AdamW's mean of squared gradients. Default: 0.95."),
  adamEpsilon: positive.optional().describe("Added to AdamW's denominator. Default: 1e-8."),
};

const schema = z.strictObject(optimizerFields);
type OptimizerOptions = z.output<typeof schema>;

/** Options that would do nothing, or not fit each other. */
export function checkOptimizer({ optim, ...given }: OptimizerOptions, context: z.RefinementCtx): void {
  const { name } = optim;
  if (name !== "adamw" && name !== "muon")
    for (const option of ["adamBeta1", "adamBeta2", "adamEpsilon"] as const)
      if (given[option] !== undefined)
        context.addIssue({ code: "custom", path: [option], message: `is AdamW's, and optim is ${name}` });
  if (name === "sgd" && optim.momentum === 0)
    for (const option of ["dampening", "nesterov"] as const)
      if (optim[option])
        context.addIssue({ code: "custom", path: ["optim", option], message: "needs a momentum above 0" });
  if (name === "sgd" && optim.nesterov && optim.dampening > 0)
    context.addIssue({ code: "custom", path: ["optim", "nesterov"], message: "needs a dampening of 0" });
}

/** Fills in what follows from the optimizer. */
export function completeOptimizer(given: OptimizerOptions) {
  const { name } = given.optim;
  const { learningRate, weightDecay } = defaults[name];
  const { beta1, beta2, epsilon } = adamOf(given);
  return {
    learningRate: given.learningRate ?? learningRate,
    weightDecay: given.weightDecay ?? weightDecay,
    ...((name === "adamw" || name === "muon") && {
      adamBeta1: beta1,
      adamBeta2: beta2,
      adamEpsilon: epsilon,
    }),
  };
}

function adamOf({
  adamBeta1: beta1 = 0.9,
  adamBeta2: beta2 = 0.95,
  adamEpsilon: epsilon = 1e-8,
}: OptimizerOptions) {
  return { beta1, beta2, epsilon };
}

/**
 * The optimizer that the options name.
 *
 * @throws TrainingError when the model has no matrix that Muon is for.
 */
export function optimizerFor(model: Model, options: OptimizerOptions): Optimizer {
  const { optim } = options;
  const { weightDecay } = completeOptimizer(options);
  switch (optim.name) {
    case "adamw":
      return adamW({ ...adamOf(options), weightDecay });
    case "sgd":
      return sgd({ ...optim, weightDecay });
    case "lion":
      return lion({ ...optim, weightDecay });
    case "adafactor":
      return adafactor({ ...optim, weightDecay });
    case "muon": {
      const matrices = muonMatrices(model, optim.parameters);
      return muon({ ...optim, weightDecay, adamW: adamOf(options), matrices });
    }
  }
}

function muonMatrices(model: Model, patterns: readonly string[] | undefined) {
  const matcher = parameterMatcher(model);
  const fits = patterns?.map((pattern) => matcher(pattern, "optim.parameters"));
  const isChosen = ({ name }: { readonly name: string }) =>
    fits === undefined ? layerOf(name) !== undefined : fits.some((one) => one(name));
  if (model.parameters().some((parameter) => parameter.rank === 2 && isChosen(parameter))) return isChosen;
  throw new TrainingError(
    "NO_MATRICES",
    patterns === undefined
      ? "optim: muon is for the matrices of layers, and the model has none (no number in their names). Name the matrices that it is for with optim.parameters."
      : `optim.parameters: no matrix of the model fits ${patterns.map((pattern) => JSON.stringify(pattern)).join(" or ")}.`,
  );
}
