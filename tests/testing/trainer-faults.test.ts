import type { Factory } from "../../src/registry/index.ts";
import { Subject } from "../../src/testing/subject.ts";
import { type TrainerConformanceOptions, trainerConformance } from "../../src/testing/trainer.ts";
import { type CausalLmOptions, causalLm } from "../../src/trainers/causal-lm.ts";
import {
  type Checkpoint,
  type Trainer,
  type TrainingContext,
  type TrainingEvent,
  trainers,
} from "../../src/trainers/index.ts";
import { type Fault, testFaults } from "./faults.ts";

const options = { maxSteps: 12, batchSize: 4, learningRate: 0.02, sampleTokens: 0 };
const right = (given: object): Promise<Trainer> =>
  new Subject(trainers, causalLm, { options: given }).build();

/** The right one with something replaced. */
const wrong =
  (change: (base: Trainer) => { readonly [Key in keyof Trainer]?: unknown }): Factory<Trainer> =>
  async (given: CausalLmOptions) => {
    const base = await right(given);
    return { ...base, train: base.train.bind(base), ...change(base) } as Trainer;
  };

/** The right one, given something else to train with. */
const wrongContext = (change: (context: TrainingContext) => Partial<TrainingContext>) =>
  wrong((base) => ({ train: (context: TrainingContext) => base.train({ ...context, ...change(context) }) }));

/** The right one, saving something else. */
const wrongCheckpoint = (change: (checkpoint: Checkpoint) => Partial<Checkpoint>) =>
  wrongContext(({ saveCheckpoint }) => ({
    saveCheckpoint: (checkpoint) => saveCheckpoint({ ...checkpoint, ...change(checkpoint) }),
  }));

/** The right one, yielding something else for each event. */
const wrongEvents = (change: (event: TrainingEvent) => readonly unknown[]) =>
  wrong((base) => ({
    async *train(context: TrainingContext) {
      for await (const event of base.train(context)) yield* change(event);
    },
  }));

const replaced = (type: TrainingEvent["type"], change: object) =>
  wrongEvents((event) => [event.type === type ? { ...event, ...change } : event]);

const dropped = (type: TrainingEvent["type"]) => wrongEvents((event) => (event.type === type ? [] : [event]));

/** One tensor of a checkpoint under another name or with another content. */
const wrongTensor = (change: (name: string, tensor: object) => readonly [string, object][]) =>
  wrongCheckpoint(({ parameters }) => ({
    parameters: new Map([...parameters].flatMap(([name, tensor]) => change(name, tensor))) as never,
  }));
const first = "transformer.wte.weight";

let chance = 0;

const inOrder = "steps come in order, with finite numbers";
const written = "every event is one that a run can write down";
const ends = "the last event is the only end, and says why";
const saved = "its last checkpoint has the model's parameters, by name and shape";
const interrupted = "an aborted signal ends it after the step, with a checkpoint";
const resumes = "if it says that it resumes, it goes on from a checkpoint to the same weights";
const learns = "the loss falls, and what was saved has the lower one";

const faults: Fault<Trainer, TrainerConformanceOptions>[] = [
  {
    check: "a build fulfils the contract",
    fault: "nothing that trains",
    build: wrong(() => ({ train: undefined })),
    says: /trainer "under test".* expected a function `train\(context\)`/,
  },
  {
    check: "an unknown option is refused",
    fault: "options that are not looked at",
    build: () => right(options),
    says: /noSuchOption was accepted/,
  },
  {
    check: "the options { maxSteps: 0 } are refused",
    fault: "a value that is not looked at",
    build: () => right(options),
    says: /\{ maxSteps: 0 \} were accepted/,
  },
  {
    check: "two builds end in the same losses and weights for one seed",
    fault: "chance beside the seed",
    build: wrongContext(({ seed }) => ({ seed: seed + 1000 * ++chance })),
    says: /Two builds .* differ: losses\[0\] is [\d.]+ in the first, [\d.]+ in the second/,
  },
  {
    check: "another seed gives other weights",
    fault: "a seed of its own",
    build: wrongContext(() => ({ seed: 7 })),
    says: /The seeds 1 and 2 give the same weights; expected others/,
  },
  {
    check: inOrder,
    fault: "steps that count from 0",
    build: wrongEvents((event) => [event.type === "step" ? { ...event, step: event.step - 1 } : event]),
    says: /Step event 1 has the step 0; expected 1, 2, 3/,
  },
  {
    check: inOrder,
    fault: "a loss that is not computed",
    build: replaced("step", { loss: Number.NaN }),
    says: /Step 1 has the loss NaN; expected a finite number/,
  },
  {
    check: inOrder,
    fault: "steps without tokens",
    build: replaced("step", { tokens: 0 }),
    says: /Step 1 has 0 tokens; expected the number of labels that counted/,
  },
  {
    check: inOrder,
    fault: "no step events",
    build: dropped("step"),
    says: /It yielded no step event/,
  },
  {
    check: inOrder,
    fault: "fewer steps than it says",
    build: wrong((base) => ({ maxSteps: (base.maxSteps ?? 0) + 1 })),
    says: /It did 12 steps; expected 13, its maxSteps/,
  },
  {
    check: inOrder,
    fault: "maxSteps that is no count",
    build: wrong(() => ({ maxSteps: 0.5 })),
    says: /maxSteps is 0\.5; expected a positive integer/,
  },
  {
    check: written,
    fault: "events that nobody knows",
    build: wrongEvents((event) => [{ type: "progress" }, event]),
    says: /Event 1 has the type "progress"; expected one of step, evaluation/,
  },
  {
    check: written,
    fault: "events that JSON cannot hold",
    build: replaced("step", { batch: new Int32Array(2) }),
    says: /Event 1, step: event\.batch is Int32Array; expected plain JSON/,
  },
  {
    check: written,
    fault: "an evaluation of a split that is not there",
    build: replaced("evaluation", { split: "test" }),
    says: /Event \d+ evaluates "test"; expected one of train, validation/,
  },
  {
    check: written,
    fault: "an evaluation without a loss",
    build: replaced("evaluation", { loss: Number.NaN }),
    says: /an evaluation, has the loss NaN; expected a finite number/,
  },
  {
    check: written,
    fault: "an evaluation without its metrics",
    build: replaced("evaluation", { metrics: { perplexity: 1 } }),
    says: /an evaluation, lacks the metric "token_accuracy"/,
  },
  {
    check: written,
    fault: "a checkpoint that was never written",
    build: replaced("checkpoint", { path: "weights.bin" }),
    says: /a checkpoint of step 12 at "weights\.bin"; expected the path that saveCheckpoint gave/,
  },
  {
    check: written,
    fault: "a checkpoint that nobody hears of",
    build: dropped("checkpoint"),
    says: /The checkpoint checkpoints\/step-12 was saved without an event/,
  },
  {
    check: written,
    fault: "a warning without a code",
    build: wrongEvents((event) => [event, { type: "warning", message: "careful" }]),
    says: /Event 2 is the warning .*; expected a code and a message/,
  },
  {
    check: ends,
    fault: "no end",
    build: dropped("end"),
    says: /The last event is a checkpoint; expected an end/,
  },
  {
    check: ends,
    fault: "two ends",
    build: wrongEvents((event) => (event.type === "end" ? [event, event] : [event])),
    says: /It yielded 2 end events; expected one/,
  },
  {
    check: ends,
    fault: "an end of another step",
    build: replaced("end", { step: 0 }),
    says: /The end has the step 0; expected 12, the steps done/,
  },
  {
    check: ends,
    fault: "an end without a known reason",
    build: replaced("end", { reason: "done" }),
    says: /The end has the reason "done"; expected "maxSteps"/,
  },
  {
    check: ends,
    fault: "no events at all",
    build: wrong(() => ({ train: async () => [] })),
    says: /train\(\) gave nothing that `for await` can go through; expected an async iterable/,
  },
  {
    check: saved,
    fault: "nothing saved",
    build: wrongContext(() => ({ saveCheckpoint: async () => "checkpoints/none" })),
    says: /saveCheckpoint was never called/,
  },
  {
    check: saved,
    fault: "a step that was not the last",
    build: wrongCheckpoint(({ step }) => ({ step: step - 1 })),
    says: /The last checkpoint is of step 11; expected 12/,
  },
  {
    check: saved,
    fault: "names of its own",
    build: wrongTensor((name, tensor) => [[name === first ? "embedding" : name, tensor]]),
    says: /The checkpoint has nothing for the parameter "transformer\.wte\.weight"; expected float32\(9, 16\)/,
  },
  {
    check: saved,
    fault: "flat tensors",
    build: wrongTensor((name, tensor) => [[name, name === first ? { ...tensor, shape: [144] } : tensor]]),
    says: /The checkpoint has (undefined|float32)\(144\) for the parameter "transformer\.wte\.weight"; expected float32\(9, 16\)/,
  },
  {
    check: saved,
    fault: "weights that are not numbers",
    build: wrongTensor((name, tensor) => [
      [name, { ...tensor, dtype: "float32", shape: (tensor as { shape: unknown }).shape, data: nan(tensor) }],
    ]),
    says: /The checkpoint's "transformer\.wte\.weight" holds NaN; expected finite numbers/,
  },
  {
    check: saved,
    fault: "tensors that are no parameters",
    build: wrongTensor((name, tensor) => [
      [name, tensor],
      [`copy/${name}`, tensor],
    ]),
    says: /The checkpoint has the tensor "copy\/transformer.*; expected only the model's parameters/,
  },
  {
    check: saved,
    fault: "a state that JSON cannot hold",
    build: wrongCheckpoint(() => ({ state: { seen: new Set([1]) } })),
    says: /The checkpoint's state\.seen is Set; expected plain JSON/,
  },
  {
    check: interrupted,
    fault: "a signal that is ignored",
    build: wrongContext(() => ({ signal: new AbortController().signal })),
    says: /The signal was aborted after step 2, and 12 steps were done; expected it to finish at most the step in hand, 3/,
  },
  {
    check: interrupted,
    fault: "work that is lost",
    build: wrongContext(({ signal, saveCheckpoint }) => ({
      saveCheckpoint: async (checkpoint) => (signal.aborted ? "nowhere" : saveCheckpoint(checkpoint)),
    })),
    says: /Interrupted after step 2, it saved no checkpoint; expected a checkpoint of the last step/,
  },
  {
    check: interrupted,
    fault: "an end that does not say that it was interrupted",
    build: replaced("end", { reason: "maxSteps" }),
    says: /The end has the reason "maxSteps"; expected "interrupted"/,
  },
  {
    check: interrupted,
    fault: "too few steps to interrupt",
    build: causalLm,
    options: { options: { ...options, maxSteps: 3 } },
    says: /These options give maxSteps 3; expected at least 4/,
  },
  {
    check: resumes,
    fault: "a beginning at the first step",
    build: wrong((base) => ({
      train: ({ resume: _, ...context }: TrainingContext) => base.train(context),
    })),
    says: /Given a checkpoint of step 2, it did step 1 first; expected 3/,
  },
  {
    check: resumes,
    fault: "data from the beginning",
    build: wrongContext(({ resume }) =>
      resume === undefined
        ? {}
        : { resume: { ...resume, state: { ...resume.state, data: { epoch: 0, start: 0 } } } },
    ),
    says: /Stopped after step 2 and resumed, it ends in other weights/,
  },
  {
    check: resumes,
    fault: "an optimizer that begins anew",
    build: wrongContext(({ resume }) =>
      resume === undefined ? {} : { resume: { ...resume, freshOptimizer: true } },
    ),
    says: /Stopped after step 2 and resumed, it ends in other weights/,
  },
  {
    check: "a signal aborted beforehand lets it do no more than one step",
    fault: "a signal that is only heard while it trains",
    build: wrongContext(({ signal }) => {
      const later = new AbortController();
      signal.addEventListener("abort", () => later.abort());
      return { signal: later.signal };
    }),
    says: /The signal was aborted before training, and 12 steps were done/,
  },
  {
    check: "without examples it throws",
    fault: "errors that are swallowed",
    build: wrong((base) => ({
      async *train(context: TrainingContext) {
        try {
          yield* base.train(context);
        } catch {
          yield { type: "end", step: 0, reason: "maxSteps" };
        }
      },
    })),
    says: /Without examples it came to its end as if it had trained; expected it to throw/,
  },
  {
    check: learns,
    fault: "a loss that stays",
    build: replaced("step", { loss: 2 }),
    says: /The mean loss went from 2 \(first 3 steps\) to 2 \(last 3\); expected it to fall/,
  },
  {
    check: learns,
    fault: "a checkpoint without what was learned",
    build: wrongTensor((name, tensor) => [
      [name, { dtype: "float32", shape: (tensor as { shape: unknown }).shape, data: zerosLike(tensor) }],
    ]),
    says: /The loss of the saved weights over the training data is [\d.]+; expected less than the [\d.]+ that training began with/,
  },
];

function zerosLike(tensor: object): Float32Array {
  return new Float32Array((tensor as { data: Float32Array }).data.length);
}

function nan(tensor: object): Float32Array {
  return zerosLike(tensor).fill(Number.NaN);
}

testFaults(
  trainerConformance,
  { build: causalLm, options: { options, invalidOptions: [{ maxSteps: 0 }] } },
  faults,
);
