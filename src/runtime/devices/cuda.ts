import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Device } from "../device.ts";
import { libraryPath } from "../ort/library.ts";
import { builtProviders, cudaProvider } from "../ort/providers.ts";
import { probed, unavailable } from "./errors.ts";
import { nvidiaDriver } from "./nvidia.ts";

const INSTALL =
  "Install a build of ONNX Runtime with CUDA (the archive of its releases whose name has `gpu`, or the Python wheel `onnxruntime-gpu`) and set CODEX_ML_ONNXRUNTIME to the path of the libonnxruntime in it; its other libraries stay beside it.";

const needs: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: "libonnxruntime_providers_cuda.so",
  win32: "onnxruntime_providers_cuda.dll",
};

/** @throws RuntimeError saying which of provider, driver, GPU and CUDA's libraries is missing, and what to install. */
export function openCuda(): Device {
  const path = libraryPath();
  const file = needs[process.platform];
  if (file === undefined)
    throw unavailable("cuda", `there is no CUDA on ${process.platform}`, "Use `device: webgpu`.");
  if (!builtProviders().includes(cudaProvider.id))
    throw unavailable("cuda", `the library ${path} was built without CUDA`, INSTALL);
  if (!existsSync(join(dirname(path), file)))
    throw unavailable("cuda", `${file} is not beside the library ${path}`, INSTALL);
  const driver = nvidiaDriver();
  if (driver === undefined)
    throw unavailable(
      "cuda",
      `this machine has no NVIDIA driver (${process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1"})`,
      "Install the driver; a container needs the NVIDIA container toolkit, and `--gpus all`.",
    );
  const [gpu] = driver.gpus;
  if (gpu === undefined)
    throw unavailable(
      "cuda",
      "the NVIDIA driver shows this process no GPU",
      "`nvidia-smi` lists those of the machine; CUDA_VISIBLE_DEVICES may hide them.",
    );
  return probed(
    new Device("cuda", `${gpu}, driver for CUDA ${driver.cudaVersion}`, cudaProvider),
    `ONNX Runtime's CUDA provider needs the libraries of CUDA (cudart, cublas, curand) and cuDNN 9 of the version that it was built for, where the system looks for libraries (LD_LIBRARY_PATH); this driver runs CUDA up to ${driver.cudaVersion}.`,
  );
}
