import { Device } from "../device.ts";
import { RuntimeError } from "../errors.ts";
import { cpuProvider } from "../ort/providers.ts";
import type { DeviceChoice } from "./choices.ts";
import { openCuda } from "./cuda.ts";
import { hasHardwareWebgpu, openWebgpu } from "./webgpu.ts";

const opened = new Map<string, Device>();

function once(name: string, open: () => Device): Device {
  const device = opened.get(name) ?? open();
  opened.set(name, device);
  return device;
}

/**
 * The device of a choice, opened once a process; undefined is the CPU. `auto` takes CUDA, else WebGPU on a GPU, else the CPU;
 * never a driver that computes on the CPU, which is far slower than the CPU itself.
 *
 * @throws RuntimeError when what was asked for by name cannot be had, with what to install.
 */
export function selectDevice(choice: DeviceChoice = "cpu"): Device | undefined {
  if (choice === "cuda") return once(choice, openCuda);
  if (choice === "webgpu") return once(choice, openWebgpu);
  if (choice === "cpu") return undefined;
  return attempt("cuda") ?? (hasHardwareWebgpu() ? attempt("webgpu") : undefined);
}

/** The CPU as a device is: with memory of its own, which is copied to and from. For where there is no other. */
export function cpuDevice(): Device {
  return once("cpu", () => new Device("cpu", "the CPU, as a device is used", cpuProvider));
}

function attempt(choice: "cuda" | "webgpu"): Device | undefined {
  try {
    return selectDevice(choice);
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "DEVICE_UNAVAILABLE") return undefined;
    throw error;
  }
}
