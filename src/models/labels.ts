import { z } from "zod";

/** Names of the classes that a classifier tells apart. */
export const labelsOption = z
  .array(z.string().min(1))
  .min(1)
  .refine((names) => new Set(names).size === names.length, "must differ from each other")
  .describe("Names of the classes. The run fills in the data's for a trainer of classifiers.");

/** The classes as a Hugging Face `config.json` has them. */
export function labelConfig(labels: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries(labels.map((name, id) => [name, id])),
  };
}
