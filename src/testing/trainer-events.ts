/** What the events of a training must be. */
import { describeValue } from "../packages/index.ts";
import { plainJsonProblem } from "../run/plain-json.ts";
import type { EndEvent, StepEvent, TrainingEvent } from "../trainers/index.ts";
import { broken } from "./check.ts";
import type { TrainingRecord } from "./trainer-observed.ts";

export function checkSteps({ events }: TrainingRecord, maxSteps: number | undefined): void {
  const steps = events.filter((event): event is StepEvent => event.type === "step");
  if (steps.length === 0) broken("It yielded no step event; expected one an update.");
  if (maxSteps !== undefined && (!Number.isInteger(maxSteps) || maxSteps < 1))
    broken(`maxSteps is ${describeValue(maxSteps)}; expected a positive integer, or undefined.`);
  for (const [index, event] of steps.entries()) {
    if (event.step !== index + 1)
      broken(
        `Step event ${index + 1} has the step ${describeValue(event.step)}; expected 1, 2, 3 …, one an update.`,
      );
    for (const field of ["loss", "learningRate", "gradientNorm", "tokens", "tokensPerSecond"] as const) {
      const value: unknown = event[field];
      const least = field === "loss" ? Number.NEGATIVE_INFINITY : 0;
      if (typeof value !== "number" || !Number.isFinite(value) || value < least)
        broken(
          `Step ${event.step} has the ${field} ${describeValue(value)}; expected a finite number${least === 0 ? " of 0 or more" : ""}.`,
        );
    }
    if (!Number.isInteger(event.tokens) || event.tokens < 1)
      broken(
        `Step ${event.step} has ${event.tokens} tokens; expected the number of labels that counted, at least 1.`,
      );
  }
  if (maxSteps !== undefined && steps.length !== maxSteps)
    broken(`It did ${steps.length} steps; expected ${maxSteps}, its maxSteps.`);
}

const knownTypes: readonly string[] = [
  "step",
  "evaluation",
  "sample",
  "mistakes",
  "checkpoint",
  "warning",
  "end",
] satisfies TrainingEvent["type"][];

/** Known types, JSON can hold them, evaluations have a loss, and a checkpoint event follows the saving of its path. */
export function checkEvents({ events, saved, data, metrics }: TrainingRecord): void {
  for (const [index, event] of events.entries()) {
    const which = `Event ${index + 1}`;
    if (!knownTypes.includes(event.type))
      broken(`${which} has the type ${describeValue(event.type)}; expected one of ${knownTypes.join(", ")}.`);
    if (event.type === "evaluation") {
      if (!data.splits.some((split) => split === event.split))
        broken(
          `${which} evaluates ${describeValue(event.split)}; expected one of ${data.splits.join(", ")}.`,
        );
      if (!Number.isFinite(event.loss))
        broken(
          `${which}, an evaluation, has the loss ${describeValue(event.loss)}; expected a finite number.`,
        );
      for (const { name } of metrics)
        if (event.metrics?.[name] === undefined)
          broken(
            `${which}, an evaluation, lacks the metric "${name}"; expected each that the trainer was given.`,
          );
      continue; // NaN is a metric's way to say undefined; a run writes it down as null.
    }
    if (event.type === "warning" && (typeof event.code !== "string" || typeof event.message !== "string"))
      broken(`${which} is the warning ${describeValue(event)}; expected a code and a message.`);
    if (event.type === "checkpoint") {
      const found = saved.find(({ path, step }) => path === event.path && step === event.step);
      if (found === undefined || found.after > index)
        broken(
          `${which} speaks of a checkpoint of step ${event.step} at ${describeValue(event.path)}; expected the path that ` +
            "saveCheckpoint gave for that step, after it was saved.",
        );
    }
    const problem = plainJsonProblem({ event });
    if (problem !== undefined) broken(`${which}, ${event.type}: ${problem}; expected plain JSON data.`);
  }
  for (const { path } of saved)
    if (!events.some((event) => event.type === "checkpoint" && event.path === path))
      broken(`The checkpoint ${path} was saved without an event; expected a checkpoint event with its path.`);
}

export function checkEnd({ events }: TrainingRecord, reason: EndEvent["reason"]): void {
  const last = events.at(-1);
  if (last?.type !== "end")
    broken(`The last event is ${last === undefined ? "none" : `a ${last.type}`}; expected an end.`);
  const ends = events.filter(({ type }) => type === "end").length;
  if (ends !== 1) broken(`It yielded ${ends} end events; expected one, the last.`);
  const steps = events.filter(({ type }) => type === "step").length;
  if (last.step !== steps)
    broken(`The end has the step ${describeValue(last.step)}; expected ${steps}, the steps done.`);
  if (last.reason !== reason)
    broken(`The end has the reason ${describeValue(last.reason)}; expected "${reason}".`);
}
