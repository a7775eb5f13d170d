export { type AdafactorOptions, adafactor } from "./adafactor.ts";
export { type AdamWOptions, adamW } from "./adamw.ts";
export { clipByGlobalNorm, clipFactor, globalNorm } from "./clip.ts";
export { type LionOptions, lion } from "./lion.ts";
export { type AdjustLrFn, type MuonOptions, muon } from "./muon.ts";
export type {
  Optimizer,
  ParameterForm,
  Slots,
  UpdateNumbers,
  UpdateRequest,
  UpdateRule,
} from "./optimizer.ts";
export {
  learningRateSchedule,
  type Schedule,
  type ScheduleOptions,
  type ScheduleShape,
} from "./schedule.ts";
export { type SgdOptions, sgd } from "./sgd.ts";
