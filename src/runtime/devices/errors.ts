import { TensorBuffer } from "../buffer.ts";
import type { Device } from "../device.ts";
import { RuntimeError } from "../errors.ts";
import { hasDeepStack } from "../ort/library.ts";

/** A device that cannot be had, with what to do about it. */
export function unavailable(device: string, why: string, advice: string, cause?: unknown): RuntimeError {
  return new RuntimeError("DEVICE_UNAVAILABLE", `${device} cannot be used: ${why}. ${advice}`, {
    ...(cause !== undefined && { cause }),
  });
}

/**
 * The device, after a number was written to it and read back.
 *
 * @throws RuntimeError with what the library said of it, and the advice.
 */
export function probed(device: Device, advice: string): Device {
  if (!hasDeepStack())
    throw unavailable(
      device.name,
      "another part of this program loaded a library with koffi first, with stacks that are too small",
      "Train first, or call `koffi.config({ async_stack_size: 8 * 2 ** 20 })` before that.",
    );
  let read: number | undefined;
  try {
    read = new TensorBuffer({ dtype: "float32", shape: [1], data: Float32Array.of(42), device }).read()[0];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/[.\s]+$/, "") : String(cause);
    throw unavailable(device.name, why, advice, cause);
  }
  if (read !== 42) throw unavailable(device.name, `it gave back ${read} where 42 was written`, advice);
  return device;
}
