/** Says which devices there are, and runs the tests of this folder on each: `npm run test:device`. */
import { spawnSync } from "node:child_process";

try {
  const { devices } = await import("./devices.ts");
  for (const { name, device, missing } of devices)
    console.log(device === undefined ? `not tested: ${missing}` : `tested: ${name}, ${device.description}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
// A process of its own: the one that has looked for devices keeps them.
const args = ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.device.config.ts"];
const { status } = spawnSync(process.execPath, [...args, ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(status ?? 1);
