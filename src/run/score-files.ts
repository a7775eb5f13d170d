import {
  type EvaluatedExample,
  isMetricValue,
  type Metric,
  type MetricInput,
  type MetricValue,
  metricRegistry,
} from "../metrics/index.ts";
import { parseOverride, setAt } from "./overrides.ts";
import { RunFileError, type RunFileProblem } from "./problems.ts";
import { ClassReader } from "./score-classes.ts";
import { readPairs, type ScoredPair, ScoreError } from "./score-lines.ts";
import { outcomeExample, type ScoreFields, textExample } from "./score-texts.ts";
import { UsageError } from "./usage-error.ts";

export interface ScoreRequest {
  readonly metrics: readonly string[];
  /** File of predictions, one a line: JSON lines (.jsonl) or plain text. */
  readonly predictions: string;
  /** File of references, line by line. Metrics of outcomes need none. */
  readonly references?: string;
  /** Options of metrics: `f1.average=macro`. */
  readonly set?: readonly string[];
  /** Names of the classes, in order. Default: those that occur, sorted. */
  readonly classes?: readonly string[];
  readonly fields?: ScoreFields;
}

export interface Scores {
  readonly type: "scores";
  readonly predictions: string;
  readonly references?: string;
  readonly examples: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** Why a value is undefined, and what else a metric says of it. */
  readonly warnings: readonly string[];
}

/** What lines are taken for. */
type LineKind = "texts" | "classes" | "outcomes";

interface Scored {
  readonly name: string;
  readonly metric: Metric;
  readonly kind: LineKind;
}

/**
 * Scores predictions in a file against references in another, line by line. Files are read as streams: what grows with them
 * is only what a metric itself keeps.
 *
 * @throws UsageError, RunFileError or RegistryError when it is asked wrongly; ScoreError where a line does not fit.
 */
export async function scoreFiles(request: ScoreRequest): Promise<Scores> {
  const { predictions, references, classes, fields = {} } = request;
  const metrics = await buildMetrics(request);
  const kinds = new Set(metrics.map(({ kind }) => kind));
  const unpaired = metrics.find(({ kind }) => kind !== "outcomes");
  if (references === undefined && unpaired !== undefined)
    throw new UsageError(`${unpaired.name} compares predictions with references: give --references FILE.`);
  if (references !== undefined && unpaired === undefined)
    throw new UsageError(
      `${metrics.map(({ name }) => name).join(" and ")} read no references: leave --references out.`,
    );
  const wantsProbabilities = metrics.some(({ metric }) =>
    readsOf(metric).some((read) => read === "probabilities" || read === "topIds"),
  );
  const reader = new ClassReader(fields, wantsProbabilities, classes);
  if (kinds.has("classes")) for await (const pair of readPairs(predictions, references)) reader.look(pair);

  const makers: Readonly<Record<LineKind, (pair: ScoredPair) => EvaluatedExample>> = {
    texts: (pair) => textExample(pair, fields),
    classes: (pair) => reader.example(pair),
    outcomes: outcomeExample,
  };
  const pairsOfIds: { predictions: Int32Array[]; references: Int32Array[] } = {
    predictions: [],
    references: [],
  };
  const collects = metrics.some(({ metric }) => typeof metric === "function");
  let examples = 0;
  for await (const pair of readPairs(predictions, references)) {
    examples++;
    const made = new Map([...kinds].map((kind) => [kind, makers[kind](pair)]));
    for (const { name, metric, kind } of metrics) {
      const example = made.get(kind);
      if (example === undefined || typeof metric === "function") continue;
      const { file, number } = pair.prediction;
      guarded(`${file}:${number}: ${name}`, () => metric.update(example));
    }
    const ids = made.get("classes");
    if (!collects || ids?.predictedIds === undefined) continue;
    pairsOfIds.predictions.push(ids.predictedIds);
    pairsOfIds.references.push(ids.labels);
  }
  const values = metrics.map(({ name, metric }): [string, MetricValue] => [
    name,
    guarded(name, () => checkValue(typeof metric === "function" ? metric(pairsOfIds) : metric.compute())),
  ]);
  const warnings = metrics.flatMap(({ name, metric }) =>
    typeof metric === "function" ? [] : (metric.warnings?.() ?? []).map((text) => `${name}: ${text}`),
  );
  return {
    type: "scores",
    predictions,
    ...(references !== undefined && { references }),
    examples,
    metrics: Object.fromEntries(values),
    warnings,
  };
}

async function buildMetrics({ metrics: names, set = [] }: ScoreRequest): Promise<Scored[]> {
  const options = optionsOf(names, set);
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined) throw new UsageError(`The metric ${repeated} is named twice.`);
  const built: Scored[] = [];
  for (const name of names) {
    const metric = await metricRegistry.create(name, options.get(name) ?? {}, { directory: process.cwd() });
    built.push({ name, metric, kind: kindOf(name, metric) });
  }
  return built;
}

/** @throws RunFileError for assignments that set nothing that was asked for. */
function optionsOf(names: readonly string[], set: readonly string[]): Map<string, unknown> {
  const options = new Map<string, unknown>(names.map((name) => [name, {}]));
  const problems: RunFileProblem[] = [];
  const say = (path: readonly string[], message: string) => problems.push({ file: "--set", path, message });
  for (const assignment of set) {
    const name = names.find((one) => assignment.startsWith(`${one}.`));
    if (name === undefined) {
      say(
        [assignment],
        `expected the option of a metric that is computed, such as ${names[0]}.option=value (it computes ${names.join(", ")})`,
      );
      continue;
    }
    const override = parseOverride(assignment.slice(name.length + 1), problems);
    if (override === undefined) continue;
    const result = setAt(options.get(name), override);
    if ("problem" in result) say([name, ...override.path.map(String)], result.problem);
    else options.set(name, result.value);
  }
  if (problems.length > 0) throw new RunFileError(problems);
  return options;
}

function readsOf(metric: Metric): readonly MetricInput[] {
  return typeof metric === "function" ? ["predictedIds"] : metric.reads;
}

/** What no file of predictions can tell a metric. */
export function onlyModelsGive(read: MetricInput): boolean {
  return read === "tokenLosses" || read === "labelBytes";
}

function kindOf(name: string, metric: Metric): LineKind {
  const reads = readsOf(metric);
  const missing = reads.find(onlyModelsGive);
  if (missing !== undefined)
    throw new UsageError(
      `${name} reads \`${missing}\`, which only a model gives: use codex-ml evaluate on a run directory.`,
    );
  if (reads.includes("outcome")) return "outcomes";
  return reads.includes("texts") ? "texts" : "classes";
}

/** What a metric throws is said to be its, and of which line. */
function guarded<Result>(place: string, call: () => Result): Result {
  try {
    return call();
  } catch (cause) {
    throw new ScoreError(`${place}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function checkValue(value: unknown): MetricValue {
  if (isMetricValue(value)) return value;
  throw new TypeError(`it gave ${JSON.stringify(value)}; a metric gives a number, or an object of numbers`);
}
