import type { Kernels } from "../onnx-graph.ts";
import { addressesAt, ortApi, type Pointer, textAt } from "./api.ts";
import { EncodedNames } from "./names.ts";

/** Who executes a session's nodes besides the CPU, which takes those that it has no kernel for. */
export interface Provider extends Kernels {
  /** Its name in the library's lists. */
  readonly id: string;
  /**
   * Adds it to the options (`OrtSessionOptions*`) of a session that is about to be made.
   *
   * @param onCpu names of nodes that it is to leave to the CPU.
   */
  appendTo(settings: Pointer, onCpu: readonly string[]): void;
}

/** Whole numbers of 64 bits are shapes and indices of graphs: without this option every one of them is a way to the CPU and back. */
const WEBGPU_OPTIONS = { "ep.webgpuexecutionprovider.enableInt64": "1" };

const FORCE_CPU = "ep.webgpuexecutionprovider.forceCpuNodeNames";
/** Characters of a session's setting. */
const LONGEST = 8192;

/** Full float32: with TF32, which is the library's default, products have ten bits. */
const CUDA_OPTIONS = { device_id: "0", use_tf32: "0", arena_extend_strategy: "kSameAsRequested" };

/** WebGPU by Dawn: Vulkan on Linux, Direct3D 12 on Windows, Metal on macOS. */
export const webgpuProvider: Provider = {
  id: "WebGpuExecutionProvider",
  // SimplifiedLayerNormalization is there, and leaves its second output unwritten, which the gradient needs.
  lacking: ["FusedMatMul", "Sum", "Sign", "ordered ScatterElements", "SimplifiedLayerNormalization"],
  // It hashes with shifts and exclusive ors of bits, for which there is no kernel.
  onCpu: ["dropoutMask"],
  appendTo: (settings, onCpu) => {
    const names = onCpu.join("\n");
    // Of names that are too many, those that fit: the others are computed where their kernels are, to the same bits.
    const fitting = names.length <= LONGEST ? names : names.slice(0, names.lastIndexOf("\n", LONGEST));
    if (fitting !== "") ortApi().call("AddSessionConfigEntry", settings, FORCE_CPU, fitting);
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
  lacking: ["ordered ScatterElements"],
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
export const cpuProvider: Provider = { id: "CPUExecutionProvider", appendTo: () => {} };

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
