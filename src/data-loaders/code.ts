import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import ignore from "ignore";
import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { defineDataLoader } from "./index.ts";
import { buildFileLoader } from "./records/build-files.ts";
import { type KnownFile, rawBytes } from "./records/file-bytes.ts";
import { languageOf, languages } from "./records/languages.ts";
import { fileShape } from "./records/options.ts";
import type { Row } from "./records/rows.ts";
import { sourceTree } from "./records/source-tree.ts";
import { splitKeySchema } from "./records/splits.ts";
import { textChunks } from "./records/text-chunks.ts";
import { namedFiles, type OptionPath, type SourceFile } from "./source-files.ts";

/** What people do not write, in `.gitignore` syntax: lock files, bundles, what tools generate. */
const GENERATED = [
  "package-lock.json",
  "*-lock.*",
  "*.lock",
  "*.min.*",
  "*.bundle.*",
  "*.map",
  "*_pb2.py",
  "*.pb.*",
  "*_pb.*",
  "*.d.ts",
  "*.g.dart",
  "__pycache__/",
];

/** Mean characters of a line above which a file was made by a machine; The Stack leaves out what has more than 100. */
const LONGEST_MEAN_LINE = 200;

interface Choice {
  readonly include: readonly string[] | undefined;
  readonly exclude: readonly string[];
  readonly languages: readonly string[] | undefined;
  readonly maxFileSize: number;
  readonly gitignore: boolean;
}

/** Patterns take the syntax of `.gitignore`. Without `include`, files of the languages that are known. */
function wantedBy({ include, exclude, languages }: Choice): (path: string) => boolean {
  const included = include && ignore().add([...include]);
  const excluded = ignore().add([...GENERATED, ...exclude]);
  return (path) => {
    const language = languageOf(path);
    if (languages !== undefined && (language === undefined || !languages.includes(language))) return false;
    return (included?.ignores(path) ?? language !== undefined) && !excluded.ignores(path);
  };
}

async function findCode(
  paths: string | readonly string[],
  directory: string,
  option: OptionPath,
  choice: Choice,
  tooLarge: string[],
): Promise<readonly SourceFile[]> {
  const found: string[] = [];
  const folders: string[] = [];
  for (const path of [paths].flat()) {
    const root = resolve(directory, path);
    const stats = await stat(root).catch(() => undefined);
    if (stats === undefined)
      throw new InvalidOptionError(
        option,
        `there is no file or folder ${root}; relative paths start from ${directory}`,
      );
    folders.push(stats.isFile() ? dirname(root) : root);
    if (stats.isFile()) found.push(root);
    else found.push(...(await sourceTree(root, { wanted: wantedBy(choice), gitignore: choice.gitignore })));
  }
  const small: string[] = [];
  for (const path of found) ((await stat(path)).size <= choice.maxFileSize ? small : tooLarge).push(path);
  if (small.length > 0) return namedFiles(small, folders.length === 1 ? folders[0] : undefined); // names of all in one folder start there
  throw new InvalidOptionError(
    option,
    `no source file below ${[paths].flat().join(", ")}: look at \`languages\`, \`include\`, \`exclude\`, and at .gitignore`,
  );
}

/**
 * A reader of one file as one record, and what it left out.
 *
 * @param tooLarge Files that are not read at all.
 */
function codeReader(tooLarge: readonly string[]): {
  read(file: KnownFile): AsyncGenerator<readonly Row[]>;
  notes(): readonly string[];
} {
  const leftOut = {
    "larger than `maxFileSize`": new Set(tooLarge),
    binary: new Set<string>(),
    "made by a machine": new Set<string>(),
  };
  return {
    read: async function* (file) {
      const text = await textOf(file);
      if (typeof text !== "string") yield [text];
      else if (text.includes("\0")) leftOut.binary.add(file.path);
      else if (text.length > LONGEST_MEAN_LINE * text.split("\n").length)
        leftOut["made by a machine"].add(file.path);
      else yield [{ at: 1, fields: { text, path: file.name, language: languageOf(file.name) ?? "" } }];
    },
    notes: () =>
      Object.entries(leftOut).flatMap(([what, files]) =>
        files.size === 0
          ? []
          : [`${files.size} file(s) that are ${what} were left out, ${[...files][0]} first`],
      ),
  };
}

/** Files are no larger than `maxFileSize`, and so read whole. A broken one is a broken record, which can be skipped. */
async function textOf(file: KnownFile): Promise<string | Row> {
  const chunks: Buffer[] = [];
  for await (const chunk of rawBytes(file)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.includes(0)) return "\0"; // binary, whatever else it is
  let text = "";
  try {
    for await (const chunk of textChunks("It", one(bytes))) text += chunk;
  } catch (error) {
    return { at: 1, problem: `cannot be read: ${(error as Error).message}` };
  }
  return text;
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/**
 * A folder of source code, each file a document. Left out are what `.gitignore` files name (those above the folder too), hidden
 * files, `node_modules`, links, lock files, minified and generated files by their names, files over `maxFileSize`, binary files,
 * and files whose lines have more than 200 characters on average. A template may use `path`, `language` and `text`.
 */
export const code = defineDataLoader({
  description:
    "A folder of source code, each file a document: what .gitignore, lock files and bundles leave.",
  options: z
    .strictObject({
      ...fileShape,
      path: fileShape.path.describe("A folder (or file) of source code, or a list of these."),
      languages: z
        .array(z.enum(languages))
        .min(1)
        .optional()
        .describe(
          "Only files of these languages, by the endings of their names. Default: all that are known.",
        ),
      include: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('Only files that match one of these, in .gitignore syntax: "src/**/*.vue".'),
      exclude: z
        .array(z.string().min(1))
        .default([])
        .describe("Files that are left out besides, in .gitignore syntax."),
      gitignore: z
        .boolean()
        .default(true)
        .describe("Whether .gitignore files are followed, nested ones too."),
      maxFileSize: z
        .number()
        .int()
        .positive()
        .default(1_000_000)
        .describe("Bytes; larger files are left out."),
      template: z
        .string()
        .optional()
        .describe(
          'What a document is made of: "{path}\\n{text}" begins each with its path. `language` is known too.',
        ),
      splitKey: splitKeySchema,
    })
    .partial({ splitKey: true }),
  create: ({ languages, include, exclude, gitignore, maxFileSize, ...options }, context) => {
    const choice: Choice = { languages, include, exclude, gitignore, maxFileSize };
    const tooLarge: string[] = [];
    return buildFileLoader(
      {
        name: "code",
        // What is said of them is stored with the rest.
        reading: tooLarge,
        reader: () => codeReader(tooLarge),
        find: (paths, directory, option) => findCode(paths, directory, option, choice, tooLarge),
      },
      options,
      context,
    );
  },
});
