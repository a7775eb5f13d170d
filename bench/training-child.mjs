// One contender of the training benchmark, this project's: for each number N that it reads it runs N steps of the shape
// given as JSON, on the device given next (the CPU without), and prints their milliseconds as JSON.
import { createJiti } from "jiti";
import { takeTurns } from "./peer-turns.mjs";

const jiti = createJiti(import.meta.url);
const { trainingStep } = await jiti.import("./training-step.ts");
const { runtimeInfo, selectDevice } = await jiti.import("../src/runtime/index.ts");
const [, , shape, device = "cpu"] = process.argv;
const step = await trainingStep(JSON.parse(shape), device);
await takeTurns(runtimeInfo(selectDevice(device)), step);
