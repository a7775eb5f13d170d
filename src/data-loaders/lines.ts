import { z } from "zod";
import { defineDataLoader } from "./index.ts";
import { buildFileLoader } from "./records/build-files.ts";
import { fileBytes } from "./records/file-bytes.ts";
import { fileShape } from "./records/options.ts";
import { textLines } from "./records/text-lines.ts";

/**
 * Text files of which each line is a document: CRLF ends one like LF, and lines without text are left out and counted.
 * Documents are packed into full windows, or with `packing: false` an example each.
 */
export const lines = defineDataLoader({
  description: "Text files of which each line is a document of its own; lines without text are left out.",
  options: z.strictObject(fileShape),
  create: (options, context) =>
    buildFileLoader(
      {
        name: "lines",
        reader: () => ({
          read: async function* (file) {
            for await (const lines of textLines(file.path, fileBytes(file)))
              yield lines.map((line) =>
                "text" in line ? { at: line.at, fields: { text: line.text } } : line,
              );
          },
        }),
      },
      options,
      context,
    ),
});
