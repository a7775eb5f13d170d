import { ortApi } from "./api.ts";
import { ortEnvironment } from "./environment.ts";

/** `OrtHardwareDeviceType`. */
const GPU = 1;

/** GPUs of the machine that the library finds, whether or not it can use them. */
export function hardwareGpus(): number {
  const api = ortApi();
  const { pointer } = ortEnvironment();
  const count = new BigUint64Array(1);
  api.call("GetNumHardwareDevices", pointer, count);
  const devices = new BigUint64Array(Number(count[0] ?? 0n));
  api.call("GetHardwareDevices", pointer, devices, devices.length);
  return devices.filter((device) => api.numberOf("HardwareDevice_Type", device) === GPU).length;
}
