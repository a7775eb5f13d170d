import { isRecord } from "./check-config.ts";
import { badLine, type ScoredLine } from "./score-lines.ts";
import { field } from "./score-texts.ts";

/** What a line says of classes. */
export interface ClassLine {
  /** Names of classes; one, where they exclude each other. */
  readonly names?: readonly string[];
  /** Whether the names are a list: any number of them. */
  readonly several?: boolean;
  /** Ids of a sequence of tokens. */
  readonly ids?: readonly number[];
  /** Of classes by name, of classes in order, or of the second class of two. */
  readonly probabilities?: Readonly<Record<string, number>> | readonly number[] | number;
}

const predictionFields = ["prediction", "label", "labels", "predicted_label"];
const referenceFields = ["reference", "references", "label", "labels"];
const probabilityFields = ["probabilities", "probability", "scores"];

/** @param wantsProbabilities Whether numbers are probabilities, where they could be something else. */
export function predictedLine(
  line: ScoredLine,
  name: string | undefined,
  wantsProbabilities: boolean,
): ClassLine {
  const { value } = line;
  if (!isRecord(value)) return wantsProbabilities ? probabilityLine(line, value) : classLine(line, value);
  if (name !== undefined) {
    const given = field(line, [name]);
    return wantsProbabilities ? probabilityLine(line, given) : classLine(line, given);
  }
  const probabilityField = probabilityFields.find((one) => Object.hasOwn(value, one));
  const labelField = predictionFields.find((one) => Object.hasOwn(value, one));
  if (probabilityField === undefined && labelField === undefined)
    field(line, [...predictionFields, ...probabilityFields]);
  return {
    ...(probabilityField !== undefined && probabilityLine(line, value[probabilityField])),
    ...(labelField !== undefined && classLine(line, value[labelField])),
  };
}

export function referenceLine(line: ScoredLine, name: string | undefined): ClassLine {
  return classLine(line, field(line, name === undefined ? referenceFields : [name]));
}

function classLine(line: ScoredLine, value: unknown): ClassLine {
  if (isName(value)) return { names: [String(value)] };
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every((one) => Number.isInteger(one))) return { ids: value };
    if (value.every(isName)) return { names: value.map(String), several: true };
  }
  return badLine(
    line,
    `expected a label, a list of labels or a list of token ids, got ${JSON.stringify(value)}`,
  );
}

function isName(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** A number, a list, an object by name, or a list of `{ label, score }` as Hugging Face's pipelines give. */
function probabilityLine(line: ScoredLine, value: unknown): ClassLine {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (isProbability(number)) return { probabilities: number };
  if (isRecord(value) && Object.values(value).every(isProbability))
    return { probabilities: value as Readonly<Record<string, number>> };
  if (Array.isArray(value) && value.length > 0) {
    if (value.every(isProbability)) return { probabilities: value };
    if (value.every((one) => isRecord(one) && typeof one.label === "string" && isProbability(one.score)))
      return { probabilities: Object.fromEntries(value.map(({ label, score }) => [label, score])) };
  }
  return badLine(
    line,
    `expected probabilities, from 0 to 1: an object by class, a list in the order of classes, or a number for two classes; got ${JSON.stringify(value)}`,
  );
}

function isProbability(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}
