import { type Device, RuntimeError, selectDevice } from "../runtime/index.ts";
import type { WarningEvent } from "../trainers/index.ts";
import type { PartialRunConfig } from "./config.ts";
import { RunFileError } from "./problems.ts";
import type { RunFile } from "./run-file.ts";

/**
 * What a run computes on; undefined is the CPU.
 *
 * @throws {RunFileError} at the file's `device` when that cannot be had, with what to install.
 */
export function deviceOf(runFile: RunFile<PartialRunConfig>): Device | undefined {
  try {
    return selectDevice(runFile.config.device);
  } catch (cause) {
    if (!(cause instanceof RuntimeError)) throw cause;
    throw new RunFileError([runFile.problem(["device"], cause.message, { cause })]);
  }
}

/**
 * Looks at what a device is used for from now on.
 *
 * @returns A function that says what is not as one would expect: that nothing was computed there, or that a part was left to
 * the CPU.
 */
export function deviceUse(device: Device): () => readonly WarningEvent[] {
  const { programs, onCpu } = device;
  const warning = (code: string, message: string): WarningEvent[] => [{ type: "warning", code, message }];
  return () => {
    if (device.programs === programs)
      return warning(
        "DEVICE_UNUSED",
        `the run asks for ${device.name}, and its trainer computes on the CPU: it does not take \`context.device\``,
      );
    const left = Object.entries(device.onCpu)
      .map(([operator, count]) => ({ operator, count: count - (onCpu[operator] ?? 0) }))
      .filter(({ count }) => count > 0);
    if (left.length === 0) return [];
    const list = left.map(({ operator, count }) => `${operator} ${count}`).join(", ");
    const total = left.reduce((sum, { count }) => sum + count, 0);
    return warning(
      "ON_CPU",
      `${device.name} has no kernel for ${total} nodes of the graphs, which the CPU computes: ${list}`,
    );
  };
}
