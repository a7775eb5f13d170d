/**
 * Runs the examples that are named, one after the other, each in its folder, and writes what each printed as a line of JSON:
 * `{ name, output }`, or `{ name, error }` where it failed.
 */
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const write = process.stdout.write.bind(process.stdout);

for (const file of process.argv.slice(2)) {
  let output = "";
  process.stdout.write = (chunk) => {
    output += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    return true;
  };
  process.chdir(dirname(file));
  let result;
  try {
    await import(pathToFileURL(file).href);
    result = { file, output };
  } catch (error) {
    result = { file, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.stdout.write = write;
  write(`${JSON.stringify(result)}\n`);
}
