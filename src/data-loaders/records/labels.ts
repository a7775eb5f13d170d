/** Collects the labels of records, and holds each against those before it. */
export class LabelCollector {
  readonly #known: ReadonlySet<string> | undefined;
  readonly #found = new Set<string>();
  #lists: boolean | undefined;

  /** @param known the only labels that may come; without them, all do. */
  constructor(known: readonly string[] | undefined) {
    this.#known = known && new Set(known);
  }

  /** @throws Error when it is none of the known ones, or a list among single labels. */
  add(label: string | readonly string[]): void {
    const isList = typeof label !== "string";
    this.#lists ??= isList;
    if (this.#lists !== isList)
      throw new Error(
        isList
          ? "has a list of labels, and the records before it have one label each"
          : "has one label, and the records before it have lists of labels",
      );
    for (const name of isList ? label : [label]) {
      if (this.#known !== undefined && !this.#known.has(name))
        throw new Error(
          `has the label ${JSON.stringify(name)}, which \`labels\` does not list: ${[...this.#known].map((one) => JSON.stringify(one)).join(", ")}`,
        );
      this.#found.add(name);
    }
  }

  /** The known ones in their order, or those that came, sorted. */
  names(): readonly string[] {
    return this.#known === undefined ? sortedLabels(this.#found) : [...this.#known];
  }
}

/** By number where all are integers (`2` before `10`), else by code unit, which is the same everywhere. */
export function sortedLabels(labels: Iterable<string>): readonly string[] {
  const names = [...new Set(labels)];
  if (names.every((name) => /^-?(0|[1-9]\d{0,14})$/.test(name)))
    return names.sort((a, b) => Number(a) - Number(b));
  return names.sort((a, b) => (a < b ? -1 : 1));
}
