export { type AdamWOptions, adamW } from "./adamw.ts";
export { clipByGlobalNorm, globalNorm } from "./clip.ts";
export type { Optimizer, Slots, UpdateRequest } from "./optimizer.ts";
export { type Schedule, type ScheduleOptions, warmupCosine } from "./schedule.ts";
