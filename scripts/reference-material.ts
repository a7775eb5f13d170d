/** What the pages of the reference take from the repository: a built-in's docstring, and its example with what it prints. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ReferenceMaterial } from "../src/plugins/reference.ts";

export const repository = fileURLToPath(new URL("..", import.meta.url));
export const examples = "docs/plugins/examples";

/** @throws Error when a built-in has no file of its name, no docstring, or no example: with what to do about it. */
export async function materialOf(folder: string, name: string): Promise<ReferenceMaterial> {
  const source = `src/${folder}/${name.replaceAll("_", "-")}.ts`;
  const example = `${examples}/${folder}/${name}`;
  const subject = `The built-in ${folder}/${name}`;
  const text = await contents(source, `${subject} is to be defined in ${source}, which is not there`);
  const docstring = docstringOf(text);
  if (docstring === undefined)
    throw new Error(`${subject} has no docstring: put one before its definition in ${source}`);
  return {
    source,
    ...docstring,
    example: {
      path: `${example}.ts`,
      code: await contents(`${example}.ts`, `${subject} has no example: write a program that uses it`),
      output: await contents(
        `${example}.txt`,
        `What the example of ${subject} prints is not known: run \`npm run docs -- --outputs\``,
      ),
    },
  };
}

async function contents(path: string, otherwise: string): Promise<string> {
  const text = await readFile(join(repository, path), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    throw new Error(`${otherwise} (${path}).`);
  });
  return text.replaceAll("\r\n", "\n");
}

/**
 * The docstring before a definition (`export const x = defineMetric(…)`), or else before the class that it makes. What
 * follows `Source:` or `Sources:` is the literature; tags such as `@throws`, and what they say, are for programmers.
 */
export function docstringOf(text: string): Pick<ReferenceMaterial, "details" | "literature"> | undefined {
  const defined = /export const \w+ = define[A-Z]\w+\(/.exec(text);
  if (defined === null) return undefined;
  const classes = [...text.slice(defined.index).matchAll(/new (\w+)\(/g)].map(([, name]) =>
    text.search(new RegExp(`^class ${name}\\b`, "m")),
  );
  const found = [defined.index, ...classes]
    .map((at) => docstringBefore(text, at))
    .find((one) => one !== undefined);
  if (found === undefined) return undefined;
  const lines = found
    .split("\n")
    .map((line) => line.replace(/^ *\*? ?/, "").trimEnd())
    .join("\n")
    .replace(/(^|\n)@[\s\S]*$/, "")
    .replaceAll(/\{@link ([^}]*)\}/g, "`$1`");
  const source = /Sources?:\s+([\s\S]*?\.)(?=\s+[A-Z`]|\s*$)/.exec(lines);
  const paragraphs = lines
    .replace(source?.[0] ?? "", "")
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll(/\s+/g, " ").trim());
  return {
    details: paragraphs.filter((paragraph) => paragraph !== ""),
    literature: source?.[1]?.replaceAll(/\s+/g, " "),
  };
}

/** The comment that ends where `at` begins. */
function docstringBefore(text: string, at: number): string | undefined {
  const before = text.slice(0, Math.max(0, at)).trimEnd();
  if (!before.endsWith("*/")) return undefined;
  const start = before.lastIndexOf("/**");
  return start < 0 ? undefined : before.slice(start + 3, -2);
}
