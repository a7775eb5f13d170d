// Runs one benchmark: `npm run bench -- training`. Benchmarks are TypeScript that measures the sources as they stand.
import { readdirSync } from "node:fs";
import { createJiti } from "jiti";

const benchmarks = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(".bench.ts", ""));
const [name, ...args] = process.argv.slice(2);
if (!benchmarks.includes(name)) {
  console.error(`usage: npm run bench -- <${benchmarks.join(" | ")}> [options]`);
  process.exit(2);
}
const { main } = await createJiti(import.meta.url).import(`./${name}.bench.ts`);
process.exitCode = await main(args);
