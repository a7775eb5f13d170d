import { type Model, models, type Task } from "../models/index.ts";
import { describeValue, isRecord, quote } from "../packages/index.ts";
import type { Factory } from "../registry/component.ts";
import { plainJsonProblem } from "../run/plain-json.ts";
import { checkParameterNames } from "../trainers/parameter-names.ts";
import { broken, type ConformanceCheck, check } from "./check.ts";
import { checkCache } from "./model-cache.ts";
import { checkGradients } from "./model-gradients.ts";
import { checkLeftOut, checkOnlyPadding, checkPacking, checkPadding } from "./model-masks.ts";
import {
  checkBatchRows,
  checkBothSides,
  checkCausality,
  checkFreeAxes,
  checkIdsMatter,
  checkShorter,
} from "./model-numbers.ts";
import {
  encodedForward,
  FilledModel,
  firstValues,
  labelsOf,
  observeModel,
  SAMPLE_LABELS,
  SAMPLE_VOCABULARY,
  traceModel,
} from "./model-observed.ts";
import { type ConformanceOptions, commonChecks, Subject } from "./subject.ts";

export interface ModelConformanceOptions extends ConformanceOptions {
  /** The task that it performs with these options. Default `causal_lm`. */
  readonly task?: Task;
  /** Largest difference of logits that must be equal, relative to the largest logit. Default 1e-4. */
  readonly tolerance?: number;
}

/**
 * What every model of a task must do. As in a run, `vocabSize` is added to the options where they have none, and `labels` for
 * a classifier. Give options of a small model: several checks compile and run it.
 *
 * @example for (const check of modelConformance(build, { options: { hiddenSize: 8 } })) test(check.name, check.run);
 */
export function modelConformance(
  build: Factory<Model>,
  options: ModelConformanceOptions = {},
): ConformanceCheck[] {
  const { tolerance = 1e-4, task = "causal_lm" } = options;
  const classifies = task === "sequence_classification";
  const added = { vocabSize: SAMPLE_VOCABULARY, ...(classifies && { labels: SAMPLE_LABELS }) };
  const subject = new Subject(models, build, options, added);
  const withModel = (body: (model: Model) => void | Promise<void>) => async () => body(await subject.build());
  const filled =
    (body: (model: FilledModel, about: Model, tolerance: number) => Promise<void>) => async () => {
      const model = await subject.build();
      checkParameters(model); // what follows could only say less clearly that a name is missing
      await body(new FilledModel(model), model, tolerance);
    };
  return [
    ...commonChecks(subject, {
      claim: "have the same parameters, first values and graph",
      observe: (model) => observeModel(model, added),
      told: added,
    }),
    check(
      `the task is ${task}`,
      withModel((model) => checkTask(model, task)),
    ),
    check("config is plain JSON with a model_type", withModel(checkConfig)),
    check("parameters have names of their own, and stay the same", withModel(checkParameters)),
    check("every parameter gets finite first values", withModel(checkFirstValues)),
    check(
      `logits are float32 (${classifies ? "batch, labels" : "batch, sequence, vocabSize"})`,
      withModel(checkShapes),
    ),
    check("logits depend on the input ids", filled(checkIdsMatter)),
    check("every parameter gets a gradient", withModel(checkGradients)),
    check("forward is pure: two traces give the same graph", withModel(checkPurity)),
    ...(task === "causal_lm"
      ? [
          check("causal: no logit depends on a later id", filled(checkCausality)),
          check("a shorter sequence gives what it gives within a longer one", filled(checkShorter)),
          check("keyValues taken back give the logits of the whole sequence", filled(checkCache)),
        ]
      : []),
    ...(task === "masked_lm"
      ? [check("a token is guessed from the ids on both sides", filled(checkBothSides))]
      : []),
    ...(classifies
      ? [
          check(
            "labels are the names that it was given",
            withModel((model) => checkLabels(model, options.options)),
          ),
        ]
      : [check("documents packed into a row do not see each other", filled(checkPacking))]),
    check("inputs that are left out mean one text from position 0", filled(checkLeftOut)),
    check("padding changes nothing that counts", filled(checkPadding)),
    check("a row of nothing but padding gives finite numbers", filled(checkOnlyPadding)),
    check("rows of a batch do not depend on each other", filled(checkBatchRows)),
    check("free axes give the same numbers", filled(checkFreeAxes)),
  ];
}

function checkTask(model: Model, task: Task): void {
  if (model.task !== task)
    broken(
      `Its task is ${describeValue(model.task)}; expected ${describeValue(task)}, which these checks are for. Give the task that it ` +
        "performs as the option `task` of modelConformance.",
    );
}

function checkLabels(model: Model, options: unknown): void {
  const given = isRecord(options) && Array.isArray(options.labels) ? options.labels : SAMPLE_LABELS;
  const labels = labelsOf(model);
  if (labels.length !== given.length || labels.some((name, at) => name !== given[at]))
    broken(
      `labels is [${labels.join(", ")}]; expected [${given.join(", ")}], in this order: it is that of the logits.`,
    );
}

function checkConfig({ config, vocabSize }: Model): void {
  const { model_type: type, vocab_size: size } = config;
  if (typeof type !== "string" || type === "")
    broken(
      `config.model_type is ${describeValue(type)}; expected a name such as "gpt2": tools choose their code by it.`,
    );
  const problem = plainJsonProblem({ config });
  if (problem !== undefined) broken(`${problem}; expected plain JSON data, since it becomes config.json.`);
  if (size !== undefined && size !== vocabSize)
    broken(`config.vocab_size is ${describeValue(size)}; expected the model's vocabSize, ${vocabSize}.`);
}

function checkParameters(model: Model): void {
  const parameters = model.parameters();
  if (parameters.length === 0)
    broken("parameters() is empty; expected at least one: there is nothing to train.");
  const names = new Set<string>();
  for (const [index, { name, dtype, dims, initialize }] of parameters.entries()) {
    if (typeof name !== "string" || name === "")
      broken(`parameters()[${index}] has the name ${describeValue(name)}; expected one that is not empty.`);
    if (names.has(name))
      broken(`Two parameters are called ${quote(name)}; expected a name of its own for each.`);
    names.add(name);
    if (dtype !== "float32" || !Array.isArray(dims) || !dims.every((dim) => Number.isInteger(dim) && dim > 0))
      broken(
        `The parameter ${quote(name)} is ${dtype}(${String(dims)}); expected float32 with axes of 1 or more.`,
      );
    if (typeof initialize !== "function")
      broken(`The parameter ${quote(name)} has no initialize; expected a \`Parameter\` of codex-ml.`);
  }
  checkParameterNames(model); // Trainers refuse names that their graphs use.
  const again = model.parameters();
  if (again.length !== parameters.length || again.some((parameter, at) => parameter !== parameters[at]))
    broken("A second call of parameters() gave other tensors, or another order; expected the same ones.");
}

function checkFirstValues(model: Model): void {
  for (const [name, values] of firstValues(model)) {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0)
      broken(
        `The first value ${at} of the parameter ${quote(name)} is ${values[at]}; expected a finite number. ` +
          "An initializer fills all of its array.",
      );
  }
}

function checkShapes(model: Model): void {
  const length = Math.min(4, model.maxPositionEmbeddings);
  for (const mode of ["evaluation", "training"] as const) traceModel(model, 2, length, mode);
}

function checkPurity(model: Model): void {
  const names = () =>
    model
      .parameters()
      .map(({ name }) => name)
      .join("\n");
  const before = names();
  for (const mode of ["evaluation", "training"] as const) {
    const [first, second] = [encodedForward(model, mode), encodedForward(model, mode)];
    if (Buffer.compare(first, second) !== 0)
      broken(
        `Two traces of forward for ${mode} gave different graphs (${first.length} and ${second.length} bytes). Expected the ` +
          "same: forward may depend on its inputs alone, not on chance, time or earlier calls.",
      );
  }
  if (names() !== before)
    broken("forward changed what parameters() gives; expected it to leave the model as it is.");
}
