import koffi, { type TypeObject } from "koffi";
import { RuntimeError } from "../errors.ts";
import { libraryPath, loadLibrary } from "./library.ts";

/** A native address. 0n is null. */
export type Pointer = bigint;

/** Memory handed to the library: an address, or the memory of a typed array, which must stay referenced while in use. */
export type NativeMemory = Pointer | ArrayBufferView | null;

/** Version of `onnxruntime_c_api.h` whose struct layout this file follows. It only ever grows at its end. */
const API_VERSION = 24;

/** Index of each function in `struct OrtApi` of `onnxruntime_c_api.h`, and its parameters after the calling convention. */
const functions = {
  GetErrorCode: [1, "int", ["void*"]],
  GetErrorMessage: [2, "const char*", ["void*"]],
  DisableTelemetryEvents: [6, "void*", ["void*"]],
  CreateSessionFromArray: [8, "void*", ["void*", "void*", "size_t", "void*", "void*"]],
  Run: [9, "void*", ["void*", "void*", "void*", "void*", "size_t", "void*", "size_t", "void*"]],
  CreateSessionOptions: [10, "void*", ["void*"]],
  EnableProfiling: [14, "void*", ["void*", "void*"]],
  DisableMemPattern: [17, "void*", ["void*"]],
  SetSessionGraphOptimizationLevel: [23, "void*", ["void*", "int"]],
  CreateTensorAsOrtValue: [48, "void*", ["void*", "void*", "size_t", "int", "void*"]],
  CreateTensorWithDataAsOrtValue: [
    49,
    "void*",
    ["void*", "void*", "size_t", "void*", "size_t", "int", "void*"],
  ],
  CreateCpuMemoryInfo: [69, "void*", ["int", "int", "void*"]],
  AllocatorFree: [76, "void*", ["void*", "void*"]],
  GetAllocatorWithDefaultOptions: [78, "void*", ["void*"]],
  ReleaseStatus: [93, "void", ["void*"]],
  ReleaseSession: [95, "void", ["void*"]],
  ReleaseValue: [96, "void", ["void*"]],
  ReleaseSessionOptions: [100, "void", ["void*"]],
  SessionEndProfiling: [110, "void*", ["void*", "void*", "void*"]],
  CreateEnvWithGlobalThreadPools: [119, "void*", ["int", "const char*", "void*", "void*"]],
  DisablePerSessionThreads: [120, "void*", ["void*"]],
  CreateThreadingOptions: [121, "void*", ["void*"]],
  ReleaseThreadingOptions: [122, "void", ["void*"]],
  GetAvailableProviders: [125, "void*", ["void*", "void*"]],
  ReleaseAvailableProviders: [126, "void*", ["void*", "int"]],
  AddSessionConfigEntry: [130, "void*", ["void*", "const char*", "const char*"]],
  CreateAllocator: [131, "void*", ["void*", "void*", "void*"]],
  ReleaseAllocator: [132, "void", ["void*"]],
  CreateAndRegisterAllocator: [144, "void*", ["void*", "void*", "void*"]],
  SetGlobalIntraOpNumThreads: [147, "void*", ["void*", "int"]],
  SetGlobalInterOpNumThreads: [148, "void*", ["void*", "int"]],
  SetGlobalSpinControl: [149, "void*", ["void*", "int"]],
  ReleaseArenaCfg: [157, "void", ["void*"]],
  CreateArenaCfgV2: [164, "void*", ["void*", "void*", "size_t", "void*"]],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, "void*", ["void*", "void*"]],
  CreateCUDAProviderOptions: [205, "void*", ["void*"]],
  UpdateCUDAProviderOptions: [206, "void*", ["void*", "void*", "void*", "size_t"]],
  ReleaseCUDAProviderOptions: [208, "void", ["void*"]],
  AddExternalInitializers: [210, "void*", ["void*", "void*", "void*", "size_t"]],
  SessionOptionsAppendExecutionProvider: [216, "void*", ["void*", "const char*", "void*", "void*", "size_t"]],
  GetKeyValue: [297, "const char*", ["void*", "const char*"]],
  ReleaseKeyValuePairs: [300, "void", ["void*"]],
  HardwareDevice_Type: [307, "int", ["void*"]],
  AllocatorGetStats: [319, "void*", ["void*", "void*"]],
  SessionGetMemoryInfoForInputs: [380, "void*", ["void*", "void*", "size_t"]],
  GetNumHardwareDevices: [397, "void*", ["void*", "void*"]],
  GetHardwareDevices: [398, "void*", ["void*", "void*", "size_t"]],
  Session_GetEpGraphAssignmentInfo: [407, "void*", ["void*", "void*", "void*"]],
  EpAssignedSubgraph_GetEpName: [408, "void*", ["void*", "void*"]],
  EpAssignedSubgraph_GetNodes: [409, "void*", ["void*", "void*", "void*"]],
  EpAssignedNode_GetName: [410, "void*", ["void*", "void*"]],
  EpAssignedNode_GetOperatorType: [412, "void*", ["void*", "void*"]],
} as const satisfies Record<string, readonly [number, string, readonly string[]]>;

export type FunctionName = keyof typeof functions;

type Argument = NativeMemory | number | string;

interface NativeFunction {
  readonly address: Pointer;
  readonly prototype: TypeObject;
}

/** The library's function table. Calls are raw: whoever calls checks what it passes. */
export interface Api {
  readonly version: string;
  /** Calls a function that returns a status; throws a RuntimeError with the library's message unless it is OK. */
  call(name: FunctionName, ...args: Argument[]): void;
  /** Calls a function whose last parameter is an out pointer, and returns what it pointed to. */
  create(name: FunctionName, ...args: Argument[]): Pointer;
  /** Calls a function that returns text, which stays the library's; `undefined` where it has none. */
  text(name: FunctionName, ...args: Argument[]): string | undefined;
  /** Calls a function without a result. */
  release(name: FunctionName, pointer: Pointer): void;
  /** Calls a function that gives a number of an object. */
  numberOf(name: FunctionName, pointer: Pointer): number;
  /** Like `call` on a worker thread, so that the event loop stays free. Arguments must stay referenced until it settles. */
  callAsync(name: FunctionName, ...args: Argument[]): Promise<void>;
}

function openApi(): Api {
  const library = loadLibrary();
  const getBase = library.func("OrtGetApiBase", "void*", []);
  const base: Pointer = getBase();
  // struct OrtApiBase { const OrtApi* (*GetApi)(uint32_t); const char* (*GetVersionString)(); }
  const [getApi, getVersion] = koffi.decode(base, koffi.array("void*", 2)) as [Pointer, Pointer];
  const version: string = koffi.call(getVersion, koffi.proto("const char*", []));
  const table: Pointer | null = koffi.call(getApi, koffi.proto("void*", ["uint32_t"]), API_VERSION);
  if (table === null)
    throw new RuntimeError(
      "RUNTIME_TOO_OLD",
      `ONNX Runtime ${version} (${libraryPath()}) does not offer version ${API_VERSION} of its C API: 1.${API_VERSION} or later is needed.`,
    );

  const natives = new Map<FunctionName, NativeFunction>();
  const slots = Math.max(...Object.values(functions).map(([slot]) => slot)) + 1;
  const addresses = koffi.decode(table, koffi.array("void*", slots)) as Pointer[];
  for (const [name, [slot, result, parameters]] of Object.entries(functions) as [
    FunctionName,
    (typeof functions)[FunctionName],
  ][])
    natives.set(name, {
      address: addresses[slot] as Pointer,
      prototype: koffi.proto(result, [...parameters]),
    });

  const native = (name: FunctionName): NativeFunction => {
    const found = natives.get(name);
    if (found === undefined)
      throw new RuntimeError("UNKNOWN_FUNCTION", `ONNX Runtime's C API has no function "${name}".`);
    return found;
  };
  const invoke = (name: FunctionName, args: readonly Argument[]) => {
    const { address, prototype } = native(name);
    return koffi.call(address, prototype, ...args);
  };
  const check = (name: FunctionName, status: Pointer | null): void => {
    if (status === null || status === 0n) return;
    const message: string = invoke("GetErrorMessage", [status]);
    invoke("ReleaseStatus", [status]);
    throw new RuntimeError("RUNTIME_FAILED", `ONNX Runtime ${version}, ${name}: ${message}`);
  };

  const api: Api = {
    version,
    call: (name, ...args) => check(name, invoke(name, args)),
    create: (name, ...args) => {
      const out = new BigUint64Array(1);
      check(name, invoke(name, [...args, out]));
      return out[0] as Pointer;
    },
    text: (name, ...args) => (invoke(name, args) as string | null) ?? undefined,
    release: (name, pointer) => void invoke(name, [pointer]),
    numberOf: (name, pointer) => invoke(name, [pointer]),
    callAsync: (name, ...args) => {
      const { address, prototype } = native(name);
      return new Promise((resolve, reject) => {
        koffi.decode(address, prototype).async(...args, (error: unknown, status: Pointer | null) => {
          try {
            if (error) throw error;
            check(name, status);
            resolve();
          } catch (cause) {
            reject(cause);
          }
        });
      });
    },
  };
  return api;
}

/** Where an array's memory is. It stays there as long as the array is referenced (its memory must not be on V8's heap). */
export function addressOf(array: ArrayBufferView): Pointer {
  return koffi.address(array);
}

/** The addresses in an array of the library. */
export function addressesAt(array: Pointer, count: number): readonly Pointer[] {
  return count === 0 ? [] : koffi.decode(array, koffi.array("void*", count));
}

/** A null-terminated text of the library. */
export function textAt(address: Pointer): string {
  return koffi.decode(address, "char", -1);
}

let api: Api | undefined;

/** The C API of the bundled library, loaded at the first use. */
export function ortApi(): Api {
  api ??= openApi();
  return api;
}
