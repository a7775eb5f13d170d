// Tries to lock each folder that it reads a line about, and prints whether it got it: "1" or "0". Holds what it got until it ends.
import { createInterface } from "node:readline";
import { createJiti } from "jiti";

const { lockRunDirectory } = await createJiti(import.meta.url).import("../../src/run/run-lock.ts");
console.log("ready");
for await (const folder of createInterface({ input: process.stdin })) {
  const lock = await lockRunDirectory(folder).catch((error) => {
    if (error.code !== "RUN_DIRECTORY_LOCKED") throw error;
  });
  console.log(lock === undefined ? "0" : "1");
}
