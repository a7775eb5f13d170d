import { describe, expect, test } from "vitest";
import { RegistryOptionsError } from "../../src/registry/index.ts";
import { causalLm } from "../../src/trainers/causal-lm.ts";
import { trainerRegistry } from "../../src/trainers/index.ts";
import { optimizerFor } from "../../src/trainers/optimizer-options.ts";
import type { CompleteOptions } from "../../src/trainers/options.ts";
import { scheduleFor } from "../../src/trainers/schedule-options.ts";
import { smallGpt } from "./fixtures.ts";

/** The options of a trainer with everything filled in. */
async function complete(given: Record<string, unknown> = {}): Promise<CompleteOptions> {
  const result = await causalLm.options?.["~standard"].validate({ maxSteps: 40, ...given });
  if (!result || result.issues) throw new Error(JSON.stringify(result?.issues));
  return result.value as CompleteOptions;
}

/** What is wrong with options, as a run file's errors tell it. */
async function refusal(given: Record<string, unknown>): Promise<string> {
  const error = await trainerRegistry.create("causal_lm", { maxSteps: 40, ...given }).catch((cause) => cause);
  expect(error).toBeInstanceOf(RegistryOptionsError);
  return (error as RegistryOptionsError).message;
}

describe("optim", () => {
  test("is a name, or a name with options; what is left out is the reference's", async () => {
    expect((await complete()).optim).toEqual({ name: "adamw" });
    const lion = { name: "lion", beta1: 0.9, beta2: 0.99 };
    expect((await complete({ optim: "lion" })).optim).toEqual(lion);
    expect((await complete({ optim: { name: "lion", beta1: 0.8 } })).optim).toEqual({ ...lion, beta1: 0.8 });
  });

  test("decides the defaults of learning rate and weight decay", async () => {
    const { learningRate, weightDecay, adamBeta2 } = await complete();
    expect({ learningRate, weightDecay, adamBeta2 }).toEqual({
      learningRate: 1e-3,
      weightDecay: 0.1,
      adamBeta2: 0.95,
    });
    expect(await complete({ optim: "lion" })).toMatchObject({ learningRate: 1e-4, weightDecay: 0 });
    expect(await complete({ optim: "lion", learningRate: 3e-4, weightDecay: 1 })).toMatchObject({
      learningRate: 3e-4,
      weightDecay: 1,
    });
    expect(await complete({ optim: "lion" })).not.toHaveProperty("adamBeta2");
  });

  for (const [what, optim, expected] of [
    ["a misspelt name", "lionn", /optim: .*"lion".*did you mean "lion"/],
    ["a misspelt name in an object", { name: "adaafactor" }, /optim\.name: .*did you mean "adafactor"/],
    ["an object without a name", { beta1: 0.9 }, /optim\.name: .*'adamw' \| 'sgd'/],
    [
      "an option of another optimizer",
      { name: "lion", momentum: 0.9 },
      /optim\.momentum: unknown option; known are "name", "beta1", "beta2"/,
    ],
    [
      "a misspelt option",
      { name: "muon", nsStep: 3 },
      /optim\.nsStep: unknown option; did you mean "nsSteps"/,
    ],
    ["a value out of range", { name: "lion", beta1: 1 }, /optim\.beta1: .*<1 \(got 1\)/],
    ["Nesterov's momentum without one", { name: "sgd", nesterov: true }, /optim\.nesterov: needs a momentum/],
    [
      "Nesterov's momentum with dampening",
      { name: "sgd", momentum: 0.9, dampening: 0.1, nesterov: true },
      /optim\.nesterov: needs a dampening of 0/,
    ],
  ] as const)
    test(`${what} is an error that says so`, async () => {
      expect(await refusal({ optim })).toMatch(expected);
    });

  test("AdamW's options are refused where no AdamW runs", async () => {
    expect(await refusal({ optim: "lion", adamBeta1: 0.8 })).toMatch(
      /adamBeta1: is AdamW's, and optim is lion/,
    );
    expect(await complete({ optim: "muon", adamBeta1: 0.8 })).toMatchObject({ adamBeta1: 0.8 });
  });

  test("what a run's own file says is accepted again, and says the same", async () => {
    for (const optim of ["adamw", "sgd", "lion", "adafactor", "muon"])
      for (const lrSchedulerType of ["cosine_with_min_lr", "linear", "warmup_stable_decay", "inverse_sqrt"]) {
        const options = await complete({ optim, lrSchedulerType, warmupRatio: 0.25 });
        expect(await complete({ ...options })).toEqual(options);
      }
  });

  test("muon is for the matrices of layers, or for those that are named", async () => {
    const model = await smallGpt();
    const muonOf = async (optim: unknown) => {
      const { ruleFor } = optimizerFor(model, await complete({ optim }));
      return model
        .parameters()
        .filter(({ name, dims: shape }) => ruleFor?.({ name, shape }) !== undefined)
        .map(({ name }) => name.replace("transformer.", ""));
    };
    expect(await muonOf("muon")).toEqual([
      "h.0.attn.c_attn.weight",
      "h.0.attn.c_proj.weight",
      "h.0.mlp.c_fc.weight",
      "h.0.mlp.c_proj.weight",
    ]);
    expect(await muonOf({ name: "muon", parameters: ["*.c_fc.*", "*.wte.*"] })).toEqual([
      "wte.weight",
      "h.0.mlp.c_fc.weight",
    ]);
    await expect(muonOf({ name: "muon", parameters: ["*.ln_1.*"] })).rejects.toThrow(
      /no matrix .* fits "\*\.ln_1\.\*"/,
    );
    await expect(muonOf({ name: "muon", parameters: ["bert.*"] })).rejects.toThrow(
      /no parameter .* fits "bert\.\*"/,
    );
  });
});

describe("lrSchedulerType", () => {
  const rates = async (given: Record<string, unknown>) => {
    const { maxSteps = Number.NaN, ...options } = await complete({ learningRate: 1, ...given });
    const schedule = scheduleFor({ ...options, maxSteps });
    return (step: number) => schedule(step);
  };

  test("is by default a cosine down to a tenth of the peak", async () => {
    const rate = await rates({ warmupSteps: 10 });
    expect([5, 10, 25, 40].map(rate)).toEqual([0.5, 1, expect.closeTo(0.55, 12), 0.1]);
    expect((await rates({ minLrRate: 0.02 }))(40)).toBe(0.02);
  });

  test("is a name, or a name with options", async () => {
    expect((await rates({ lrSchedulerType: "linear" }))(30)).toBe(0.25);
    expect((await rates({ lrSchedulerType: "constant" }))(40)).toBe(1);
    expect((await rates({ lrSchedulerType: { name: "cosine", numCycles: 1 } }))(40)).toBe(1);
    const inverse = await rates({ lrSchedulerType: { name: "inverse_sqrt", timescale: 10 } });
    expect(inverse(30)).toBe(0.5);
  });

  test("warmup_stable_decay decays over the last tenth, or over numDecaySteps", async () => {
    const tenth = await rates({ lrSchedulerType: "warmup_stable_decay" });
    expect([36, 38, 40].map(tenth)).toEqual([1, expect.closeTo(0.5, 12), 0]);
    const form = { name: "warmup_stable_decay", numDecaySteps: 20, decayType: "linear" };
    const half = await rates({ lrSchedulerType: form, minLrRate: 0.5 });
    expect([20, 30, 40].map(half)).toEqual([1, 0.75, 0.5]);
  });

  test("warmupRatio is a share of maxSteps, rounded up", async () => {
    expect((await complete({ warmupRatio: 0.26 })).warmupSteps).toBe(11);
    expect(await complete({ warmupRatio: 0.26 })).not.toHaveProperty("warmupRatio");
    expect(await refusal({ warmupRatio: 0.1, warmupSteps: 4 })).toMatch(/warmupRatio: .*give one of them/);
  });

  for (const [what, given, expected] of [
    ["a misspelt name", { lrSchedulerType: "cosin" }, /did you mean "cosine"/],
    [
      "an option of another schedule",
      { lrSchedulerType: { name: "linear", numCycles: 1 } },
      /numCycles: unknown option/,
    ],
    ["warm-up of constant", { lrSchedulerType: "constant", warmupSteps: 4 }, /constant_with_warmup/],
    [
      "minLrRate of a schedule without one",
      { lrSchedulerType: "linear", minLrRate: 0.1 },
      /minLrRate: is none of linear/,
    ],
    [
      "more warm-up and decay than steps",
      { lrSchedulerType: { name: "warmup_stable_decay", numDecaySteps: 30 }, warmupSteps: 11 },
      /warm-up \(11\) and decay \(30\) are more than maxSteps \(40\)/,
    ],
    [
      "an only update at a rate of 0",
      { lrSchedulerType: "linear", maxSteps: 1 },
      /the only update would do nothing/,
    ],
  ] as const)
    test(`${what} is an error that says so`, async () => {
      expect(await refusal(given)).toMatch(expected);
    });
});
