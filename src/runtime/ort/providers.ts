import { addressesAt, ortApi, type Pointer, textAt } from "./api.ts";
import { EncodedNames } from "./names.ts";

/** Who executes a session's nodes besides the CPU, which takes those that it has no kernel for. */
export interface Provider {
  /** Its name in the library's lists. */
  readonly id: string;
  /** Operators without a kernel of its own, where others can do the same. */
  readonly lacking: readonly string[];
  /** Adds it to the options (`OrtSessionOptions*`) of a session that is about to be made. */
  appendTo(settings: Pointer): void;
}

/** Whole numbers of 64 bits are shapes and indices of graphs: without this option every one of them is a way to the CPU and back. */
const WEBGPU_OPTIONS = { "ep.webgpuexecutionprovider.enableInt64": "1" };

/** Full float32: with TF32, which is the library's default, products have ten bits. */
const CUDA_OPTIONS = { device_id: "0", use_tf32: "0", arena_extend_strategy: "kSameAsRequested" };

/** WebGPU by Dawn: Vulkan on Linux, Direct3D 12 on Windows, Metal on macOS. */
export const webgpuProvider: Provider = {
  id: "WebGpuExecutionProvider",
  lacking: ["FusedMatMul", "Sum"],
  appendTo: (settings) => {
    const { keys, values } = encoded(WEBGPU_OPTIONS);
    ortApi().call(
      "SessionOptionsAppendExecutionProvider",
      settings,
      "WebGPU",
      keys.pointers,
      values.pointers,
      keys.count,
    );
  },
};

export const cudaProvider: Provider = {
  id: "CUDAExecutionProvider",
  lacking: [],
  appendTo: (settings) => {
    const api = ortApi();
    const { keys, values } = encoded(CUDA_OPTIONS);
    const options = api.create("CreateCUDAProviderOptions");
    try {
      api.call("UpdateCUDAProviderOptions", options, keys.pointers, values.pointers, keys.count);
      api.call("SessionOptionsAppendExecutionProvider_CUDA_V2", settings, options);
    } finally {
      api.release("ReleaseCUDAProviderOptions", options);
    }
  },
};

/** The CPU itself: for the paths of a device, where there is none. */
export const cpuProvider: Provider = { id: "CPUExecutionProvider", lacking: [], appendTo: () => {} };

function encoded(options: Readonly<Record<string, string>>) {
  return {
    keys: new EncodedNames(Object.keys(options)),
    values: new EncodedNames(Object.values(options)),
  };
}

/** The providers that the library was built with. Whether they find what they need is another question. */
export function builtProviders(): readonly string[] {
  const api = ortApi();
  const [list, count] = [new BigUint64Array(1), new Int32Array(1)];
  api.call("GetAvailableProviders", list, count);
  const address = list[0] ?? 0n;
  const names = addressesAt(address, count[0] ?? 0).map(textAt);
  api.call("ReleaseAvailableProviders", address, names.length);
  return names;
}
