import type { Device } from "./device.ts";
import { ortApi } from "./ort/api.ts";
import { ortEnvironment } from "./ort/environment.ts";

export { alignedMemory, isAligned } from "./aligned-memory.ts";
export { TensorBuffer } from "./buffer.ts";
export type { Device } from "./device.ts";
export { type DeviceChoice, deviceChoices } from "./devices/choices.ts";
export { cpuDevice, selectDevice } from "./devices/select.ts";
export { RuntimeError } from "./errors.ts";
export { allocate, type HostTensor } from "./host-tensor.ts";
export { encodeModel } from "./onnx-model.ts";
export { measurePeak } from "./peak.ts";
export { type NodeProfile, Profiler, type ProgramProfile } from "./profiler.ts";
export { type Call, Program, runInOrder } from "./program.ts";

/** What computes: for manifests and reports. Loads the library. */
export function runtimeInfo(device?: Device): {
  readonly name: string;
  readonly version: string;
  readonly device: string;
  readonly threads: number;
} {
  return {
    name: "onnxruntime",
    version: ortApi().version,
    device: device?.label ?? "cpu",
    threads: ortEnvironment().threads,
  };
}
