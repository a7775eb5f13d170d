import type { MetricInput } from "../metrics/index.ts";
import type { Registries } from "../run/registries.ts";
import { onlyModelsGive } from "../run/score-files.ts";
import { code, link } from "./markdown.ts";
import type { OptionRow } from "./option-rows.ts";
import type { ReferenceKind } from "./reference-kinds.ts";
import type { Survey } from "./reference-survey.ts";

const meanings: Readonly<Record<MetricInput, string>> = {
  tokenLosses: "the cross-entropy of each label, in nats",
  predictedIds: "the most likely id at each position, which is the predicted class of a classifier",
  labelBytes: "how many bytes of UTF-8 each label stands for",
  topIds: "the k most likely ids at each position",
  probabilities: "the probability of each class",
  texts: "the text that was produced, and one or more that it should have been",
  outcome: "which task was attempted, and whether the attempt passed",
};

/** What a page tells of a component besides its options: a line each, as Markdown. */
export function componentFacts(
  key: keyof Registries,
  kind: ReferenceKind,
  { name, options }: { readonly name: string; readonly options: readonly OptionRow[] | undefined },
  survey: Survey,
): readonly string[] {
  const inRunFile = `In a run file: ${code(runFileLine(kind, name, options))}`;
  if (key === "metrics") return metricFacts(name, inRunFile, survey);
  if (key === "models") {
    const tasks = survey.tasks.get(name) ?? [];
    const trainers = namesWith(survey.trainers, ({ task }) => tasks.includes(task));
    return [
      ...(tasks.length === 0 ? [] : [`${tasks.length === 1 ? "Task" : "Tasks"}: ${listed(tasks.map(code))}`]),
      ...(trainers.length === 0 ? [] : [`Trained by: ${linked("trainers", trainers)}`]),
      inRunFile,
    ];
  }
  if (key === "trainers") {
    const about = survey.trainers.get(name);
    if (about === undefined) return [inRunFile];
    const models = namesWith(survey.tasks, (tasks) => tasks.includes(about.task));
    return [
      `Task: ${code(about.task)}`,
      ...(models.length === 0 ? [] : [`Trains: ${linked("models", models)}`]),
      `Metrics can read: ${listed(about.gives.map(code))}`,
      inRunFile,
    ];
  }
  if (key === "tokenizers") {
    const learns = survey.learns.get(name);
    if (learns === undefined) return [inRunFile];
    return [
      learns
        ? "Learns its vocabulary from the training split, before the model is built"
        : "Has nothing to learn: its vocabulary is always the same",
      inRunFile,
      ...(learns ? [`By itself: ${code(`npx codex-ml tokenizer train ${name} --data FILE --out DIR`)}`] : []),
    ];
  }
  return [inRunFile];
}

function metricFacts(name: string, inRunFile: string, survey: Survey): readonly string[] {
  const reads = survey.reads.get(name);
  if (reads === undefined) return [inRunFile];
  const trainers = namesWith(survey.trainers, ({ gives }) => reads.every((read) => gives.includes(read)));
  const references = reads.includes("outcome") ? "" : " --references FILE";
  return [
    ...reads.map((read) => `Reads ${code(read)}: ${meanings[read]}`),
    ...(trainers.length === 0
      ? []
      : [
          `${inRunFile}, with the trainer${trainers.length === 1 ? "" : "s"} ${linked("trainers", trainers)}`,
        ]),
    ...(reads.some(onlyModelsGive)
      ? []
      : [
          `Of a file of predictions: ${code(`npx codex-ml metrics ${name} --predictions FILE${references}`)}`,
        ]),
  ];
}

/** What a metric reads, or which task a model or trainer is for; nothing of other kinds. */
export function componentGist(key: keyof Registries, name: string, survey: Survey): string {
  const trainer = survey.trainers.get(name);
  const told = {
    metrics: survey.reads.get(name),
    models: survey.tasks.get(name),
    trainers: trainer && [trainer.task],
    tokenizers: undefined,
    dataLoaders: undefined,
  }[key];
  return (told ?? []).map(code).join(", ");
}

/** The line that names it, with the options that must be given, and those that usually are. */
function runFileLine(
  { slot, isList = false, adds = [], usual = [] }: ReferenceKind,
  name: string,
  options: readonly OptionRow[] = [],
): string {
  const given = options.filter(
    ({ name, required }) => (required && !name.includes(".") && !adds.includes(name)) || usual.includes(name),
  );
  const fields = given.map(({ name }) => `, ${name}: …`).join("");
  const named = fields === "" ? name : `{ name: ${name}${fields} }`;
  return `${slot}: ${isList ? `[${named}]` : named}`;
}

function namesWith<About>(all: ReadonlyMap<string, About>, fits: (about: About) => boolean): string[] {
  return [...all].flatMap(([name, about]) => (fits(about) ? [name] : []));
}

/** Names of components of another kind, each with a link to its page. */
function linked(folder: string, names: readonly string[]): string {
  return listed(names.map((name) => link(code(name), `../${folder}/${name}.md`)));
}

function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
