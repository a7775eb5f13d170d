import type { EvaluatedExample } from "../index.ts";
import { MetricError } from "../inputs.ts";

/** The classes that examples speak of, which must be the same in all. */
export class ClassNames {
  readonly #metric: string;
  #names: readonly string[] | undefined;
  #multiLabel: boolean | undefined;

  constructor(metric: string) {
    this.#metric = metric;
  }

  get multiLabel(): boolean {
    return this.#multiLabel ?? false;
  }

  /** Names, where a classifier has given them; ids of tokens have none. */
  get known(): readonly string[] | undefined {
    return this.#names;
  }

  name(id: number): string {
    return this.#names?.[id] ?? String(id);
  }

  /** @throws MetricError `METRIC_BAD_INPUT` when they are others than before. */
  take({ classes, multiLabel = false }: Pick<EvaluatedExample, "classes" | "multiLabel">): void {
    if (this.#multiLabel === undefined) {
      this.#names = classes;
      this.#multiLabel = multiLabel;
      return;
    }
    const before = this.#names;
    const isSame =
      this.#multiLabel === multiLabel &&
      (classes === before ||
        (classes?.length === before?.length && classes?.every((name, at) => name === before?.[at])));
    if (isSame) return;
    throw new MetricError(
      "METRIC_BAD_INPUT",
      `${this.#metric} was given examples of the classes ${shown(classes, multiLabel)} after others of ` +
        `${shown(before, this.#multiLabel)}. One metric scores one set of classes.`,
    );
  }

  /**
   * The id of the positive class of an option: a name, or a number.
   *
   * @throws MetricError `METRIC_BAD_INPUT` when there is no such class.
   */
  positive(option: string | number): number {
    const id = this.#names?.indexOf(String(option)) ?? -1;
    if (id >= 0) return id;
    const number = Number(option);
    if (Number.isInteger(number) && number >= 0 && number < (this.#names?.length ?? Number.POSITIVE_INFINITY))
      return number;
    throw new MetricError(
      "METRIC_BAD_INPUT",
      `${this.#metric} was told that the class ${JSON.stringify(option)} is the positive one, but the classes are ` +
        `${shown(this.#names, this.multiLabel)}. Set the option \`positive\` to one of them.`,
    );
  }

  reset(): void {
    this.#names = undefined;
    this.#multiLabel = undefined;
  }

  state(): { readonly classes: readonly string[] | null; readonly multiLabel: boolean } | null {
    if (this.#multiLabel === undefined) return null;
    return { classes: this.#names === undefined ? null : [...this.#names], multiLabel: this.#multiLabel };
  }

  merge(state: ReturnType<ClassNames["state"]>): void {
    if (state === null) return;
    const { classes, multiLabel } = state;
    this.take({ ...(classes !== null && { classes }), multiLabel });
  }
}

function shown(names: readonly string[] | undefined, multiLabel: boolean): string {
  return `${names?.join(", ") ?? "without names"}${multiLabel ? " (several at once)" : ""}`;
}
