import type { DataCounts } from "./batching.ts";
import type { DataSurvey } from "./data-survey.ts";
import type { WarningEvent } from "./events.ts";

/** Says once that examples are cut, and once that examples are left out: what {@link trainingBatches} counts. */
export class DataWarnings {
  readonly #sequenceLength: number;
  readonly #said: Set<string>;

  /** @param said What another of these had said, of the same run. */
  constructor(sequenceLength: number, said: readonly string[] = []) {
    this.#sequenceLength = sequenceLength;
    this.#said = new Set(said);
  }

  /** What was said, for a checkpoint. */
  get said(): readonly string[] {
    return [...this.#said];
  }

  /** What the run's first event said is not said again. */
  told({ truncated, dropped }: DataSurvey): void {
    if (truncated.examples > 0) this.#said.add("truncated");
    if (dropped > 0) this.#said.add("dropped");
  }

  /** Says each sentence once. */
  *once(sentences: readonly string[]): Generator<WarningEvent> {
    for (const message of sentences) {
      if (this.#said.has(message)) continue;
      this.#said.add(message);
      yield { type: "warning", code: "DATA_NOTE", message };
    }
  }

  *about(counts: DataCounts): Generator<WarningEvent> {
    const messages: Readonly<Record<keyof DataCounts, string>> = {
      truncated: `examples of more tokens than fit (sequenceLength is ${this.#sequenceLength}) are cut`,
      dropped: "examples without a label that counts are left out",
    };
    for (const kind of ["truncated", "dropped"] as const) {
      if (counts[kind] === 0 || this.#said.has(kind)) continue;
      this.#said.add(kind);
      yield {
        type: "warning",
        code: kind.toUpperCase(),
        message: `${messages[kind]} (${counts[kind]} so far)`,
        numbers: { examples: counts[kind] },
      };
    }
  }
}
