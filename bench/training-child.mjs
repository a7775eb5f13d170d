// One contender of the training benchmark, this project's: for each number N that it reads it runs N steps of the shape
// given as JSON, and prints their milliseconds as JSON.
import { createInterface } from "node:readline";
import { createJiti } from "jiti";

const { trainingStep } = await createJiti(import.meta.url).import("./training-step.ts");
const { runtimeInfo } = await createJiti(import.meta.url).import("../src/runtime/index.ts");
const step = await trainingStep(JSON.parse(process.argv[2]));
await step();
console.log(JSON.stringify(runtimeInfo()));
for await (const line of createInterface({ input: process.stdin })) {
  const times = [];
  let loss = Number.NaN;
  for (let at = 0; at < Number(line); at++) {
    const started = performance.now();
    loss = await step();
    times.push(performance.now() - started);
  }
  console.log(JSON.stringify({ times, loss, peak: process.resourceUsage().maxRSS * 1024 }));
}
