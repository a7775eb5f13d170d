import { describeError, describeValue } from "../packages/index.ts";
import type { Factory } from "../registry/component.ts";
import { plainJsonProblem } from "../run/plain-json.ts";
import { Evaluator } from "../trainers/evaluation.ts";
import { type StepEvent, type Trainer, type TrainingEvent, trainers } from "../trainers/index.ts";
import { loadedWeights } from "../trainers/weights.ts";
import { broken, type ConformanceCheck, check, once } from "./check.ts";
import { type ConformanceOptions, commonChecks, Subject } from "./subject.ts";
import { checkEnd, checkEvents, checkSteps } from "./trainer-events.ts";
import {
  observed,
  recordTraining,
  type SavedCheckpoint,
  type TrainingRecord,
  type TrainingRequest,
} from "./trainer-observed.ts";
import { memoryLoader, type TrainingComponents, tinyTraining } from "./trainer-samples.ts";

export type { TrainingComponents } from "./trainer-samples.ts";

export interface TrainerConformanceOptions extends ConformanceOptions {
  /** The other components of each training. Default: a tiny model for the trainer's task that learns about eight letters. Not with `module`. */
  readonly components?: () => TrainingComponents | Promise<TrainingComponents>;
  /** Whether the loss must fall. Default true. */
  readonly learns?: boolean;
}

/** Updates that a training must be able to do, so that the checks can stop one in the middle. */
const LEAST_STEPS = 4;

/**
 * What every trainer must do. It trains a tiny model a handful of times: give options of 10 to 50 updates that learn
 * something, such as `{ maxSteps: 20, learningRate: 0.05 }`.
 *
 * @example for (const check of trainerConformance(build, { options: { maxSteps: 20 } })) test(check.name, check.run);
 */
export function trainerConformance(
  build: Factory<Trainer>,
  options: TrainerConformanceOptions = {},
): ConformanceCheck[] {
  const { components, learns = true } = options;
  if (components !== undefined && options.module !== undefined)
    throw new TypeError(
      "trainerConformance: `components` cannot be sent to another process; leave out `module`.",
    );
  const subject = new Subject(trainers, build, options);
  const train = async (request: TrainingRequest = {}): Promise<TrainingRecord> =>
    recordTraining(await subject.build(), { ...request, ...(components && { components }) });
  const usual = once(() => train());
  const checks = [
    ...commonChecks(subject, {
      claim: "end in the same losses and weights for one seed",
      observe: async (trainer) =>
        observed(await recordTraining(trainer, { ...(components && { components }) })),
    }),
    check("another seed gives other weights", async () =>
      checkSeeds(await usual(), await train({ seed: 2 })),
    ),
    check("steps come in order, with finite numbers", async () =>
      checkSteps(await usual(), (await subject.build()).maxSteps),
    ),
    check("every event is one that a run can write down", async () => checkEvents(await usual())),
    check("the last event is the only end, and says why", async () => checkEnd(await usual(), "maxSteps")),
    check("its last checkpoint has the model's parameters, by name and shape", async () =>
      checkCheckpoint(await usual()),
    ),
    check("an aborted signal ends it after the step, with a checkpoint", async () => {
      const { maxSteps = Number.POSITIVE_INFINITY } = await subject.build();
      if (maxSteps < LEAST_STEPS)
        broken(
          `These options give maxSteps ${maxSteps}; expected at least ${LEAST_STEPS}, so that it can be interrupted.`,
        );
      checkInterrupted(await train({ abortAfter: 2 }), 3);
    }),
    check("a signal aborted beforehand lets it do no more than one step", async () =>
      checkInterrupted(await train({ abortAfter: 0 }), 1),
    ),
    check("if it says that it resumes, it goes on from a checkpoint to the same weights", async () => {
      const trainer = await subject.build();
      if (trainer.resumes !== true) return;
      const stopped = await train({ abortAfter: 2 });
      checkResumed(await usual(), stopped, await train({ resume: savedLast(stopped) }));
    }),
    check("without examples it throws", async () => {
      const { task } = await subject.build();
      await checkNoExamples(train, components ?? (() => tinyTraining(task)));
    }),
  ];
  if (learns)
    checks.push(
      check("the loss falls, and what was saved has the lower one", async () =>
        checkLearns(await usual(), await subject.build()),
      ),
    );
  return checks;
}

function checkSeeds(one: TrainingRecord, other: TrainingRecord): void {
  if (one.saved.length === 0 || other.saved.length === 0)
    broken("No checkpoint was saved; expected one at the end.");
  if (JSON.stringify(observed(one).weights) === JSON.stringify(observed(other).weights))
    broken(
      "The seeds 1 and 2 give the same weights; expected others: the seed decides first weights and order of the data.",
    );
}

function stepsOf(events: readonly TrainingEvent[]): StepEvent[] {
  return events.filter((event) => event.type === "step");
}

function checkCheckpoint({ saved, events, model }: TrainingRecord): void {
  const last = saved.at(-1);
  const steps = stepsOf(events).length;
  if (last === undefined) broken("saveCheckpoint was never called; expected a checkpoint at the end.");
  if (last.step !== steps)
    broken(`The last checkpoint is of step ${last.step}; expected ${steps}, the last step that was done.`);
  const expected = new Map(model.parameters().map(({ name, dims }) => [name, `float32(${dims.join(", ")})`]));
  for (const [name, type] of expected) {
    const tensor = last.parameters.get(name);
    const given = tensor === undefined ? "nothing" : `${tensor.dtype}(${tensor.shape.join(", ")})`;
    if (given !== type) broken(`The checkpoint has ${given} for the parameter "${name}"; expected ${type}.`);
    const wrong = Array.from(tensor?.data ?? [], Number).find((value) => !Number.isFinite(value));
    if (wrong !== undefined) broken(`The checkpoint's "${name}" holds ${wrong}; expected finite numbers.`);
  }
  for (const name of last.parameters.keys())
    if (!expected.has(name))
      broken(`The checkpoint has the tensor "${name}"; expected only the model's parameters.`);
  const { state } = last;
  if (typeof state !== "object" || state === null)
    broken(`The checkpoint's state is ${describeValue(state)}; expected an object.`);
  const problem = plainJsonProblem({ state });
  if (problem !== undefined) broken(`The checkpoint's ${problem}; expected plain JSON data.`);
}

function checkInterrupted(record: TrainingRecord, most: number): void {
  const steps = stepsOf(record.events);
  if (steps.length > most)
    broken(
      `The signal was aborted ${most === 1 ? "before training" : `after step ${most - 1}`}, and ${steps.length} steps were ` +
        `done; expected it to finish at most the step in hand, ${most}.`,
    );
  checkEnd(record, "interrupted");
  if (steps.length > 0 && record.saved.at(-1)?.step !== steps.length)
    broken(
      `Interrupted after step ${steps.length}, it saved ${record.saved.length === 0 ? "no checkpoint" : `step ${record.saved.at(-1)?.step} last`}; ` +
        "expected a checkpoint of the last step: what was learned must not be lost.",
    );
}

function savedLast({ saved }: TrainingRecord): SavedCheckpoint {
  return (
    saved.at(-1) ?? broken("Interrupted after step 2, it saved no checkpoint; expected one to go on from.")
  );
}

function checkResumed(whole: TrainingRecord, stopped: TrainingRecord, resumed: TrainingRecord): void {
  const done = stepsOf(stopped.events).length;
  const [first] = stepsOf(resumed.events);
  if (first?.step !== done + 1)
    broken(
      `Given a checkpoint of step ${done}, it did step ${first?.step ?? "none"} first; expected ${done + 1}.`,
    );
  const [expected, actual] = [observed(whole), observed(resumed)].map(({ weights }) =>
    JSON.stringify(weights),
  );
  if (actual !== expected)
    broken(
      `Stopped after step ${done} and resumed, it ends in other weights than without the stop; expected the same to the last ` +
        "bit: position in the data, optimizer state, schedule and all that is drawn go on where they were.",
    );
}

async function checkNoExamples(
  train: (request: TrainingRequest) => Promise<TrainingRecord>,
  components: () => TrainingComponents | Promise<TrainingComponents>,
): Promise<void> {
  const given = await components();
  const empty = Object.fromEntries(given.data.splits.map((split) => [split, []]));
  try {
    await train({ components: () => ({ ...given, data: memoryLoader(empty) }) });
  } catch (error) {
    if (error instanceof Error) return;
    broken(`Without examples it threw ${describeError(error)}; expected an Error that says so.`);
  }
  broken(
    "Without examples it came to its end as if it had trained; expected it to throw: there was nothing to learn.",
  );
}

/** The mean loss of the first and the last quarter of the steps, and that of the saved weights over the data. */
async function checkLearns(
  { events, saved, model, data, tokenizer }: TrainingRecord,
  trainer: Trainer,
): Promise<void> {
  const losses = stepsOf(events).map(({ loss }) => loss);
  const quarter = Math.ceil(losses.length / 4);
  const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
  const [first, last] = [mean(losses.slice(0, quarter)), mean(losses.slice(-quarter))];
  if (!(last < first))
    broken(
      `The mean loss went from ${first} (first ${quarter} steps) to ${last} (last ${quarter}); expected it to fall. ` +
        "If these options cannot learn, give others, or say `learns: false`.",
    );
  const checkpoint = saved.at(-1);
  if (checkpoint === undefined) broken("No checkpoint was saved; expected one at the end.");
  const { sequenceLength: said } = checkpoint.state as { readonly sequenceLength?: unknown };
  const sequenceLength = typeof said === "number" ? said : model.maxPositionEmbeddings;
  const objective = trainer.objective?.(model);
  const batches = { data, tokenizer, vocabSize: model.vocabSize, batchSize: 8, sequenceLength, seed: 1 };
  const options = { ...batches, ...(objective && { objective }) };
  const evaluator = new Evaluator(model, [], options);
  const { loss } = await evaluator.evaluate("train", loadedWeights(model, checkpoint.parameters));
  if (!(loss < first))
    broken(
      `The loss of the saved weights over the training data is ${loss}; expected less than the ${first} that training ` +
        "began with: the checkpoint must hold what was learned.",
    );
}
