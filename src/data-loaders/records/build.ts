import { InvalidOptionError } from "../../registry/index.ts";
import { type ColumnOptions, Mapping } from "./columns.ts";
import { Corpus } from "./corpus.ts";
import type { ColumnsOptions, CommonOptions } from "./options.ts";
import { type LoaderSource, RecordLoader } from "./record-loader.ts";
import type { RowSource } from "./rows.ts";
import { SplitRule } from "./splits.ts";

/** One source of a loader that is being built. */
export interface SourcePlan {
  readonly weight: number;
  readonly columns: ColumnOptions;
  readonly template: string | undefined;
  /** Opens the rows, told which columns will be read. */
  rows(columns: readonly string[]): Promise<RowSource>;
}

export interface LoaderPlan {
  /** Name of the loader. */
  readonly name: string;
  readonly sources: readonly SourcePlan[];
  readonly options: CommonOptions & Partial<ColumnsOptions>;
  /** Shares of the records; undefined where a split has data of its own, or none. */
  readonly validation: number | undefined;
  readonly test: number | undefined;
  readonly cache: string | undefined;
  /** What else decides how rows are read, as JSON. */
  readonly reading: unknown;
}

/**
 * A loader of records from options that were validated one by one.
 *
 * @throws InvalidOptionError for options that do not go together.
 */
export async function buildRecordLoader(plan: LoaderPlan): Promise<RecordLoader> {
  const { name, options, validation, test } = plan;
  const { labels, split, splitKey, onError } = options;
  if (labels !== undefined && new Set(labels).size < labels.length)
    throw new InvalidOptionError(["labels"], "a label is there twice");
  const rule = new SplitRule({ validation, test, split, splitKey });
  const mappings = plan.sources.map(({ columns, template }) => new Mapping(columns, template));
  const asRecords = mappings.some(({ hasLabel, hasPair }) => hasLabel || hasPair);
  checkAlike(mappings);
  if (labels !== undefined && !mappings[0]?.hasLabel)
    throw new InvalidOptionError(["labels"], "there is no column of labels; name one with `columns.label`");
  const packing = options.packing ?? !asRecords;
  if (packing && asRecords)
    throw new InvalidOptionError(
      ["packing"],
      "examples with a label or a second text cannot be joined; leave `packing` out, or the columns",
    );
  const sources: LoaderSource[] = [];
  for (const [index, source] of plan.sources.entries()) {
    const mapping = mappings[index] ?? new Mapping({}, undefined);
    const rows = await source.rows([...new Set([...mapping.columns, ...rule.columns])]);
    const { columns, template, weight } = source;
    const identity = [
      [name, plan.reading, columns, template ?? null],
      [validation ?? null, test ?? null, split ?? null, splitKey ?? null],
      [onError, labels ?? null],
    ];
    sources.push({ corpus: new Corpus({ rows, mapping, rule, onError, labels }), weight, identity });
  }
  return new RecordLoader({ name, sources, asRecords, packing, labels, cache: plan.cache });
}

function checkAlike(mappings: readonly Mapping[]): void {
  const [first] = mappings;
  for (const [index, { hasLabel, hasPair }] of mappings.entries())
    if (hasLabel !== first?.hasLabel || hasPair !== first.hasPair)
      throw new InvalidOptionError(
        ["sources", index, "columns"],
        "all sources have labels or none has, and the same for pairs: examples of one run are of one kind",
      );
}
