// One contender of the training benchmark, this project's: for each number N that it reads it runs N steps of the shape
// given as JSON, on the device given next (the CPU without), and prints their milliseconds as JSON.
import { createInterface } from "node:readline";
import { createJiti } from "jiti";

const jiti = createJiti(import.meta.url);
const { trainingStep } = await jiti.import("./training-step.ts");
const { runtimeInfo, selectDevice } = await jiti.import("../src/runtime/index.ts");
const [, , shape, device = "cpu"] = process.argv;
const step = await trainingStep(JSON.parse(shape), device);
await step();
console.log(JSON.stringify(runtimeInfo(selectDevice(device))));
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
