import { createHash } from "node:crypto";
import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { defineDataLoader, type Split } from "./index.ts";
import { buildRecordLoader } from "./records/build.ts";
import { cacheFolder, cacheSchema } from "./records/cache-folder.ts";
import { columnsShape, commonShape } from "./records/options.ts";
import type { Fields, Row, RowBatch, RowSource } from "./records/rows.ts";

const examplesSchema = z.array(z.union([z.string(), z.record(z.string(), z.unknown())])).min(1);

type GivenExamples = z.infer<typeof examplesSchema>;

/** Records that are given; places are their numbers in the list, from 0. */
class MemoryRows implements RowSource {
  readonly heldOut: readonly Exclude<Split, "train">[];
  readonly #lists: readonly (readonly [split: Split, examples: GivenExamples])[];

  constructor(lists: readonly (readonly [split: Split, examples: GivenExamples])[]) {
    this.#lists = lists;
    this.heldOut = lists.flatMap(([split]) => (split === "train" ? [] : [split]));
  }

  async *batches(only?: Split): AsyncGenerator<RowBatch> {
    for (const [split, examples] of this.#lists) {
      if (only !== undefined && split !== only) continue;
      const option = split === "train" ? "examples" : split;
      yield {
        place: (at) => `${option}[${at}]`,
        heldOut: split === "train" ? undefined : split,
        rows: examples.map((example, at): Row => ({ at, fields: fieldsOf(example) })),
      };
    }
  }

  async fingerprint(): Promise<string> {
    const hash = createHash("sha256");
    for (const [split, examples] of this.#lists)
      for (const example of examples) hash.update(`${JSON.stringify([split, fieldsOf(example)])}\n`);
    return hash.digest("hex");
  }

  notes(): readonly string[] {
    return [];
  }
}

function fieldsOf(example: GivenExamples[number]): Fields {
  return typeof example === "string" ? { text: example } : example;
}

const heldOut = (split: string) =>
  z
    .union([z.number().min(0).lt(1), examplesSchema])
    .optional()
    .describe(
      `What is held out for ${split}: a share, chosen by a digest of each text (0: none), or examples of its own.` +
        `${split === "validation" ? " Default 0.1." : ""}`,
    );

/**
 * Examples in a list: texts, or objects with columns as the files of other loaders have them. For tests and programs that have
 * their data already, and for a run file that is all of it. By default nothing is
 * cached.
 */
export const memory = defineDataLoader({
  description: "Examples that a program gives, or that stand in the run file itself.",
  options: z.strictObject({
    examples: examplesSchema.describe(
      "Texts, or objects with columns: `text`, and what `columns` or `template` names.",
    ),
    validation: heldOut("validation"),
    test: heldOut("test"),
    ...commonShape,
    ...columnsShape,
    cache: cacheSchema.default(false),
  }),
  create: ({ examples, validation, test, cache, ...options }, { directory }) => {
    const share = validation ?? (options.split === undefined ? 0.1 : undefined);
    const lists: (readonly [Split, GivenExamples])[] = [["train", examples]];
    for (const [split, value] of [
      ["validation", share],
      ["test", test],
    ] as const) {
      if (typeof value === "number" && options.split !== undefined)
        throw new InvalidOptionError([split], "`split` deals the examples by a column; leave this share out");
      if (typeof value === "object") lists.push([split, value]);
    }
    const { columns, template } = options;
    return buildRecordLoader({
      name: "memory",
      sources: [{ weight: 1, columns, template, rows: async () => new MemoryRows(lists) }],
      options,
      validation: typeof share === "number" ? share : undefined,
      test: typeof test === "number" ? test : undefined,
      cache: cacheFolder(cache, directory),
      reading: null,
    });
  },
});
