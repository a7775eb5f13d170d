import { type Device, selectDevice } from "../../src/runtime/index.ts";

export interface FoundDevice {
  readonly name: "cuda" | "webgpu";
  readonly device?: Device;
  /** Why it cannot be had. */
  readonly missing?: string;
}

/** What there is on this machine, software adapters too: they compute the same. */
export const devices: readonly FoundDevice[] = (["cuda", "webgpu"] as const).map((name) => {
  try {
    const device = selectDevice(name);
    return device === undefined ? { name, missing: "it is the CPU" } : { name, device };
  } catch (error) {
    return { name, missing: error instanceof Error ? error.message : String(error) };
  }
});

/** Those that can be tested; at least one. */
export const found = devices.flatMap(({ name, device }) =>
  device === undefined ? [] : [[name, device] as const],
);

if (found.length === 0)
  throw new Error(
    `There is no device to test on this machine.\n${devices.map(({ missing }) => `  ${missing}`).join("\n")}`,
  );
