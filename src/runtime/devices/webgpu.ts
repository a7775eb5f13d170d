import { Device } from "../device.ts";
import { hardwareGpus } from "../ort/hardware.ts";
import { libraryPath } from "../ort/library.ts";
import { builtProviders, webgpuProvider } from "../ort/providers.ts";
import { probed, unavailable } from "./errors.ts";
import { vulkanAdapters } from "./vulkan.ts";

const DRIVER =
  "Install the Vulkan driver of the GPU and Vulkan's loader (Debian, Ubuntu: `libvulkan1` and `mesa-vulkan-drivers`, or NVIDIA's driver); `vulkaninfo --summary` shows what there is.";

/** @throws RuntimeError saying what is missing, and what to install. */
export function openWebgpu(): Device {
  if (!builtProviders().includes(webgpuProvider.id))
    throw unavailable(
      "webgpu",
      `the library ${libraryPath()} was built without WebGPU`,
      "The one that the package onnxruntime-node bundles has it, on x64 and arm64: leave CODEX_ML_ONNXRUNTIME unset.",
    );
  if (process.platform !== "linux") {
    const backend = process.platform === "darwin" ? "Metal" : "Direct3D 12";
    return probed(new Device("webgpu", backend, webgpuProvider), "Install the driver of the GPU.");
  }
  const adapters = vulkanAdapters();
  if (adapters === undefined)
    throw unavailable("webgpu", "Vulkan's loader, libvulkan.so.1, is not installed", DRIVER);
  const [adapter] = adapters;
  if (adapter === undefined) throw unavailable("webgpu", "Vulkan finds no adapter", DRIVER);
  const kind = adapter.isSoftware ? "software, " : "";
  const description = `${adapter.name}, ${kind}Vulkan by ${adapter.driver || "an unnamed driver"}`;
  return probed(
    new Device("webgpu", description, webgpuProvider),
    `The adapter is ${description}; WebGPU needs a recent driver (Mesa 22.3 is too old, 25.0 will do).`,
  );
}

/** Whether there is a GPU, and not just a driver that computes on the CPU: only then is it worth it. */
export function hasHardwareWebgpu(): boolean {
  if (process.platform !== "linux") return hardwareGpus() > 0;
  return vulkanAdapters()?.[0]?.isSoftware === false;
}
