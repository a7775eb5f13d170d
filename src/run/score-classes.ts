import type { EvaluatedExample } from "../metrics/index.ts";
import { type ClassLine, predictedLine, referenceLine } from "./score-class-lines.ts";
import { badLine, type ScoredLine, type ScoredPair, ScoreError } from "./score-lines.ts";
import type { ScoreFields } from "./score-texts.ts";

/**
 * Makes examples of lines about classes. What the classes are is known only when all lines were seen, so that they are read
 * twice: {@link look} at each, then {@link example} of each.
 */
export class ClassReader {
  readonly #fields: ScoreFields;
  readonly #wantsProbabilities: boolean;
  readonly #given: readonly string[] | undefined;
  readonly #names = new Set<string>();
  #multiLabel = false;
  #sequences = false;
  /** The longest list of probabilities. */
  #listed = 0;
  #single = false;
  #classes: readonly string[] | undefined;

  /** @param classes Names of the classes in order, where they were given. */
  constructor(fields: ScoreFields, wantsProbabilities: boolean, classes?: readonly string[]) {
    this.#fields = fields;
    this.#wantsProbabilities = wantsProbabilities;
    this.#given = classes;
  }

  /** @throws ScoreError */
  look(pair: ScoredPair): void {
    const { predicted, expected } = this.#read(pair);
    for (const { names = [], several = false, ids, probabilities } of [predicted, expected]) {
      if (ids !== undefined) this.#sequences = true;
      if (several) this.#multiLabel = true;
      for (const name of names) this.#names.add(name);
      if (typeof probabilities === "number") this.#single = true;
      else if (Array.isArray(probabilities)) this.#listed = Math.max(this.#listed, probabilities.length);
      else if (probabilities !== undefined)
        for (const name of Object.keys(probabilities)) this.#names.add(name);
    }
  }

  /** @throws ScoreError */
  example(pair: ScoredPair): EvaluatedExample {
    const { predicted, expected } = this.#read(pair);
    if (this.#sequences) return sequence(pair, predicted, expected);
    this.#classes ??= this.#order();
    const classes = this.#classes;
    const { prediction, reference } = pair;
    const expectedIds = this.#ids(reference ?? prediction, expected);
    const probabilities = this.#probabilities(prediction, predicted);
    const predictedIds =
      predicted.names !== undefined
        ? this.#ids(prediction, predicted)
        : probabilities && this.#mostLikely(probabilities);
    const order =
      probabilities &&
      [...classes.keys()].sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0) || a - b);
    return {
      labels: expectedIds,
      classes,
      ...(this.#multiLabel && { multiLabel: true }),
      ...(predictedIds && { predictedIds }),
      ...(probabilities && { probabilities }),
      ...(order && { topIds: Int32Array.from(order) }),
    };
  }

  #read({ prediction, reference }: ScoredPair): { predicted: ClassLine; expected: ClassLine } {
    return {
      predicted: predictedLine(prediction, this.#fields.prediction, this.#wantsProbabilities),
      expected: reference === undefined ? {} : referenceLine(reference, this.#fields.reference),
    };
  }

  /** Numbers by size, names by their letters; lists of probabilities are of the classes 0, 1, … */
  #order(): readonly string[] {
    if (this.#given !== undefined) return this.#given;
    const count = Math.max(this.#listed, this.#single ? 2 : 0);
    const names = [...this.#names];
    if (this.#listed === 0 && (!this.#single || names.length === 2)) return sorted(names);
    const numbered = Array.from({ length: count }, (_, at) => String(at));
    if (names.every((name) => numbered.includes(name))) return numbered;
    throw new ScoreError(
      `Which of ${sorted(names).join(", ")} do the probabilities belong to? Say so: --classes with their names in order, or write ${this.#listed > 0 ? "objects" : "an object"} by name.`,
    );
  }

  #ids(line: ScoredLine, { names = [], several = false }: ClassLine): Int32Array {
    const ids = names.map((name) => this.#id(line, name));
    if (!this.#multiLabel) return Int32Array.from(ids);
    if (!several) badLine(line, "expected a list of labels, as in other lines");
    return Int32Array.from(this.#classes ?? [], (_, at) => (ids.includes(at) ? 1 : 0));
  }

  #id(line: ScoredLine, name: string): number {
    const id = this.#classes?.indexOf(name) ?? -1;
    return id >= 0
      ? id
      : badLine(line, `${JSON.stringify(name)} is none of the classes ${this.#classes?.join(", ")}`);
  }

  #probabilities(line: ScoredLine, { probabilities }: ClassLine): Float64Array | undefined {
    const classes = this.#classes ?? [];
    if (probabilities === undefined) return undefined;
    const values =
      typeof probabilities === "number"
        ? [1 - probabilities, probabilities]
        : Array.isArray(probabilities)
          ? probabilities
          : byName(line, probabilities as Readonly<Record<string, number>>, classes);
    if (values.length !== classes.length)
      badLine(line, `${values.length} probabilities for the ${classes.length} classes ${classes.join(", ")}`);
    return Float64Array.from(values);
  }

  #mostLikely(probabilities: Float64Array): Int32Array {
    if (this.#multiLabel) return Int32Array.from(probabilities, (one) => (one > 0.5 ? 1 : 0));
    return Int32Array.of(probabilities.indexOf(Math.max(...probabilities)));
  }
}

function byName(
  line: ScoredLine,
  probabilities: Readonly<Record<string, number>>,
  classes: readonly string[],
): number[] {
  for (const name of Object.keys(probabilities))
    if (!classes.includes(name))
      badLine(line, `${JSON.stringify(name)} is none of the classes ${classes.join(", ")}`);
  return classes.map((name) =>
    Object.hasOwn(probabilities, name)
      ? (probabilities[name] ?? 0)
      : badLine(line, `there is no probability of the class ${JSON.stringify(name)}`),
  );
}

function sorted(names: readonly string[]): string[] {
  const isNumbered = names.every((name) => /^-?\d+$/.test(name));
  return [...names].sort(isNumbered ? (a, b) => Number(a) - Number(b) : undefined);
}

/** Token ids: the metric sees a sequence, position by position. */
function sequence(
  { prediction, reference }: ScoredPair,
  predicted: ClassLine,
  expected: ClassLine,
): EvaluatedExample {
  const ids = (line: ScoredLine | undefined, { ids, names }: ClassLine): Int32Array => {
    const one = names?.length === 0 ? [] : ids;
    return Int32Array.from(
      one ?? badLine(line ?? prediction, "expected a list of token ids, as in other lines"),
    );
  };
  const [labels, predictedIds] = [ids(reference, expected), ids(prediction, predicted)];
  if (labels.length !== predictedIds.length)
    badLine(
      prediction,
      `${predictedIds.length} token ids, where the reference has ${labels.length} (numbers that are labels are written as strings: ["1", "3"])`,
    );
  return { labels, predictedIds };
}
