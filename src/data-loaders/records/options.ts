import { z } from "zod";
import { cacheSchema, DEFAULT_CACHE } from "./cache-folder.ts";
import { columnsSchema, templateSchema } from "./columns.ts";
import { splitKeySchema, splitSchema } from "./splits.ts";

const pathsSchema = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const weightSchema = z
  .number()
  .positive()
  .describe("This source's share of the examples, beside the other sources' weights.");

const heldOut = (split: string) =>
  z
    .union([z.number().min(0).lt(1), pathsSchema])
    .optional()
    .describe(
      `What is held out for ${split}: a share of the records, chosen by a digest of each record's text so that data ` +
        `that grows leaves it as it is (0: none), or files of its own, given as in \`path\`.` +
        `${split === "validation" ? " Default 0.1." : ""}`,
    );

/** Options of every loader of records. */
export const commonShape = {
  packing: z
    .boolean()
    .optional()
    .describe(
      "Whether documents are joined and cut into full windows, in which none attends to another. Without it each is an " +
        "example by itself. Default true, and false with labels or pairs.",
    ),
  onError: z
    .enum(["error", "skip"])
    .default("error")
    .describe(
      "What becomes of a record that cannot be used: an error with file and line, or it is skipped and counted.",
    ),
};

/** Options of loaders that read files. */
export const fileShape = {
  path: pathsSchema
    .optional()
    .describe(
      "A file, a folder (all files below it but hidden ones) or a glob, or a list of these. Files ending in .gz and .zst are decompressed.",
    ),
  sources: z
    .array(z.strictObject({ path: pathsSchema, weight: weightSchema }))
    .min(1)
    .optional()
    .describe("Several sources with their shares of the examples, instead of `path`."),
  validation: heldOut("validation"),
  test: heldOut("test"),
  ...commonShape,
  cache: cacheSchema.default(DEFAULT_CACHE),
};

/** Options of loaders whose records have columns. */
export const columnsShape = {
  columns: columnsSchema.default({}),
  template: templateSchema.optional(),
  labels: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      "All classes, in the order of their numbers. Any other label is an error. Default: those of the data, sorted.",
    ),
  split: splitSchema.optional(),
  splitKey: splitKeySchema.optional(),
};

/** The same for files with columns, whose sources may name columns of their own. */
export const columnsFileShape = {
  ...fileShape,
  sources: z
    .array(
      z.strictObject({
        path: pathsSchema,
        weight: weightSchema,
        columns: columnsSchema.optional(),
        template: templateSchema.optional(),
      }),
    )
    .min(1)
    .optional()
    .describe(
      "Several sources with their shares of the examples, instead of `path`; each may have `columns` and `template` of its own.",
    ),
  ...columnsShape,
};

type Shape<Fields extends z.ZodRawShape> = z.infer<z.ZodObject<Fields>>;

/** What the options of all these loaders have in common, once validated. */
export type CommonOptions = Shape<typeof commonShape>;
export type ColumnsOptions = Shape<typeof columnsShape>;
export type FileOptions = Omit<Shape<typeof fileShape>, "sources"> &
  Partial<ColumnsOptions> &
  Pick<Shape<typeof columnsFileShape>, "sources">;
