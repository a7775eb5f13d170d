import { z } from "zod";
import { learningRateSchedule, type Schedule } from "../optim/index.ts";

const count = z.int().positive();
const numCycles = z
  .number()
  .positive()
  .default(0.5)
  .describe("Waves of the cosine; 0.5: from the peak down.");
const ramp = z.enum(["linear", "cosine", "1-sqrt"]);

const forms = z.discriminatedUnion("name", [
  z.strictObject({
    name: z
      .literal("cosine_with_min_lr")
      .describe("The schedule; its name alone stands for it with its defaults."),
    numCycles,
  }),
  z.strictObject({ name: z.literal("cosine"), numCycles }),
  z.strictObject({ name: z.literal("linear") }),
  z.strictObject({ name: z.literal("constant") }),
  z.strictObject({ name: z.literal("constant_with_warmup") }),
  z.strictObject({
    name: z.literal("warmup_stable_decay"),
    numDecaySteps: count
      .optional()
      .describe("Last updates, over which the learning rate falls. Default: a tenth of maxSteps."),
    warmupType: ramp.default("linear").describe("How it grows."),
    decayType: ramp.default("cosine").describe("How it falls."),
    numCycles,
  }),
  z.strictObject({
    name: z.literal("inverse_sqrt"),
    timescale: count
      .optional()
      .describe("Updates until it has fallen to 0.71 of the peak. Default: warmupSteps, or 10,000 without."),
  }),
]);
type ScheduleForm = z.output<typeof forms>;
const names = [
  "cosine_with_min_lr",
  "cosine",
  "linear",
  "constant",
  "constant_with_warmup",
  "warmup_stable_decay",
  "inverse_sqrt",
] as const;

/** Options about the learning rate along the way, by the names of Hugging Face's TrainingArguments. */
export const scheduleFields = {
  lrSchedulerType: z
    .union([z.enum(names).transform((name) => forms.parse({ name })), forms])
    .prefault("cosine_with_min_lr")
    .describe("How the learning rate changes: a schedule's name, or its name with options."),
  warmupSteps: z
    .int()
    .min(0)
    .optional()
    .describe("Updates over which the learning rate grows from 0 to its peak. Default: 0."),
  warmupRatio: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("The same as a share of maxSteps, rounded up; instead of warmupSteps."),
  minLrRate: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      "Share of the peak that is left at the end. Default: 0.1 with cosine_with_min_lr, 0 with warmup_stable_decay; the other schedules have none.",
    ),
};

const schema = z.strictObject(scheduleFields);
type ScheduleOptions = z.output<typeof schema> & { readonly maxSteps: number };

/** Options that would do nothing, or not fit each other. */
export function checkSchedule(given: ScheduleOptions, context: z.RefinementCtx): void {
  const { lrSchedulerType: shape, warmupSteps, warmupRatio, minLrRate, maxSteps } = given;
  const issue = (path: readonly string[], message: string) =>
    context.addIssue({ code: "custom", path: [...path], message });
  const warmup = warmupStepsOf(given);
  if (warmupSteps !== undefined && warmupRatio !== undefined)
    issue(["warmupRatio"], "says the same as warmupSteps; give one of them");
  if (shape.name === "constant" && warmup > 0)
    issue(["lrSchedulerType"], "constant has no warm-up; constant_with_warmup has one");
  if (minLrRate !== undefined && defaultMinLrRate(shape) === undefined)
    issue(["minLrRate"], `is none of ${shape.name}; cosine_with_min_lr and warmup_stable_decay have it`);
  if (shape.name === "warmup_stable_decay" && warmup + decaySteps(shape, maxSteps) > maxSteps)
    issue(
      ["lrSchedulerType", "numDecaySteps"],
      `warm-up (${warmup}) and decay (${decaySteps(shape, maxSteps)}) are more than maxSteps (${maxSteps})`,
    );
  if (maxSteps === 1 && scheduleFor({ ...given, learningRate: 1 })(1) === 0)
    issue(["lrSchedulerType"], `${shape.name} ends at 0, so that the only update would do nothing`);
}

/** Fills in what follows from the schedule, and what the schedule itself leaves open. */
export function completeSchedule(given: ScheduleOptions) {
  const { lrSchedulerType: shape, maxSteps } = given;
  const warmupSteps = warmupStepsOf(given);
  const minLrRate = given.minLrRate ?? defaultMinLrRate(shape);
  return {
    lrSchedulerType:
      shape.name === "warmup_stable_decay"
        ? { ...shape, numDecaySteps: decaySteps(shape, maxSteps) }
        : shape.name === "inverse_sqrt"
          ? { ...shape, timescale: shape.timescale ?? (warmupSteps || 10_000) }
          : shape,
    warmupSteps,
    ...(minLrRate !== undefined && { minLrRate }),
  };
}

/** The schedule that the options name. */
export function scheduleFor(given: ScheduleOptions & { readonly learningRate: number }): Schedule {
  const { learningRate, maxSteps } = given;
  const { lrSchedulerType, warmupSteps, minLrRate = 0 } = completeSchedule(given);
  const options = { ...lrSchedulerType, learningRate, warmupSteps, maxSteps, minLrRate };
  return learningRateSchedule(options);
}

function warmupStepsOf({ warmupSteps, warmupRatio, maxSteps }: ScheduleOptions): number {
  return warmupSteps ?? Math.ceil((warmupRatio ?? 0) * maxSteps);
}

function decaySteps(shape: ScheduleForm & { name: "warmup_stable_decay" }, maxSteps: number): number {
  return shape.numDecaySteps ?? Math.ceil(maxSteps / 10);
}

function defaultMinLrRate({ name }: ScheduleForm): number | undefined {
  return name === "cosine_with_min_lr" ? 0.1 : name === "warmup_stable_decay" ? 0 : undefined;
}
