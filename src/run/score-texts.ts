import type { EvaluatedExample } from "../metrics/index.ts";
import { isRecord } from "./check-config.ts";
import { badLine, type ScoredLine, type ScoredPair } from "./score-lines.ts";

/** Fields that are looked at, where a line is an object; one name overrides them all. */
export interface ScoreFields {
  readonly prediction?: string;
  readonly reference?: string;
}

/** The value of the first of `names` that the object has. */
export function field(line: ScoredLine, names: readonly string[]): unknown {
  if (!isRecord(line.value)) return line.value;
  const value = line.value;
  const name = names.find((one) => Object.hasOwn(value, one));
  if (name !== undefined) return value[name];
  return badLine(
    line,
    `expected ${names.length === 1 ? "a field" : "one of the fields"} ${names.join(", ")}; the object has ${Object.keys(value).join(", ") || "none"}`,
  );
}

const predictionFields = ["prediction", "prediction_text", "text", "generated_text"];
const referenceFields = ["references", "reference", "answers", "text"];

/** A line of predictions is a text; one of references a text, or several. SQuAD's `answers: { text: […] }` is known. */
export function textExample({ prediction, reference }: ScoredPair, fields: ScoreFields): EvaluatedExample {
  const predicted = field(
    prediction,
    fields.prediction === undefined ? predictionFields : [fields.prediction],
  );
  const references: string[] = [];
  if (reference !== undefined) {
    const given = field(reference, fields.reference === undefined ? referenceFields : [fields.reference]);
    const inner = isRecord(given) && "text" in given ? given.text : given;
    for (const one of Array.isArray(inner) ? inner : [inner]) references.push(text(reference, one));
    if (references.length === 0) badLine(reference, "there is no reference; expected one text or more");
  }
  return {
    labels: new Int32Array(),
    texts: { prediction: text(prediction, predicted), references },
  };
}

function text(line: ScoredLine, value: unknown): string {
  if (typeof value === "string") return value;
  // An answer such as 42 is a text like any other.
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return badLine(line, `expected a text, got ${JSON.stringify(value)}`);
}

/** What HumanEval's evaluation writes of each attempt: `{ "task_id": "HumanEval/0", "passed": true }`. */
export function outcomeExample({ prediction }: ScoredPair): EvaluatedExample {
  const { value } = prediction;
  if (!isRecord(value))
    badLine(prediction, 'expected an object such as { "task_id": "HumanEval/0", "passed": true }');
  const [task, passed] = [field(prediction, ["task_id", "task"]), field(prediction, ["passed"])];
  if (typeof task !== "string" && typeof task !== "number")
    badLine(prediction, `expected the name of a task, got ${JSON.stringify(task)}`);
  if (typeof passed !== "boolean" && passed !== 0 && passed !== 1)
    badLine(prediction, `expected passed to be true or false, got ${JSON.stringify(passed)}`);
  return { labels: new Int32Array(), outcome: { task: String(task), passed: Boolean(passed) } };
}
