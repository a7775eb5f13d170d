/** `npm run torture [kills] [seed]`: kills runs with SIGKILL at random moments, and compares what comes of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { torture } from "./torture.ts";

/** Enough for a hundred kills on two busy cores. */
const MOST_SECONDS = 1800;

const [kills = "100", seed = "1"] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), "codex-ml-torture-"));
const result = await torture({
  kills: Number(kills),
  seed: Number(seed),
  directory,
  seconds: MOST_SECONDS,
  log: (line) => process.stderr.write(`${line}\n`),
});
console.log(
  `${result.kills} kills, ${result.identical} identical finals (${result.whileSaving} of the kills while a checkpoint was being written)`,
);
for (const difference of result.differences) console.log(`  ${difference}`);
if (result.differences.length === 0) await rm(directory, { recursive: true, force: true });
else console.log(`The runs that differ are in ${directory}`);
process.exitCode = result.differences.length === 0 && result.kills === Number(kills) ? 0 : 1;
