import { ortApi } from "./ort/api.ts";
import { ortEnvironment } from "./ort/environment.ts";

export { TensorBuffer } from "./buffer.ts";
export { RuntimeError } from "./errors.ts";
export { allocate, type ArrayOf, elementCount, type HostTensor } from "./host-tensor.ts";
export { encodeModel, type GraphSpec } from "./onnx-model.ts";
export { type Buffers, type Call, type CompileOptions, Program } from "./program.ts";

/** What computes: for manifests and reports. Loads the library. */
export function runtimeInfo(): { readonly name: string; readonly version: string; readonly device: string; readonly threads: number } {
  return { name: "onnxruntime", version: ortApi().version, device: "cpu", threads: ortEnvironment().threads };
}
