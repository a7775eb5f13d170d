import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import koffi, { type LibraryHandle } from "koffi";
import { RuntimeError } from "../errors.ts";

const fileNames: Readonly<Record<string, string>> = {
  linux: "libonnxruntime.so.1",
  darwin: "libonnxruntime.1.dylib",
  win32: "onnxruntime.dll",
};

/**
 * Path of the ONNX Runtime library: CODEX_ML_ONNXRUNTIME, or what the `onnxruntime-node` package bundles for this machine.
 *
 * @throws RuntimeError when there is none.
 */
export function libraryPath(): string {
  const own = process.env.CODEX_ML_ONNXRUNTIME;
  if (own !== undefined && own !== "") {
    if (statSync(own, { throwIfNoEntry: false })?.isFile()) return resolve(own);
    throw new RuntimeError(
      "RUNTIME_UNAVAILABLE",
      `CODEX_ML_ONNXRUNTIME is "${own}", which is not a file. It is the path of ONNX Runtime's library, such as /opt/onnxruntime/lib/libonnxruntime.so.`,
    );
  }
  const file = fileNames[process.platform];
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const path = join(root, "bin", "napi-v6", process.platform, process.arch, file ?? "");
  if (file === undefined || !existsSync(path))
    throw new RuntimeError(
      "RUNTIME_UNAVAILABLE",
      `ONNX Runtime has no library for ${process.platform} ${process.arch}. It ships for Linux and Windows on x64 and arm64 and for macOS on arm64; looked for ${path}.`,
    );
  return path;
}

/** Bytes of stack of a call on another thread; only what is used of them is ever memory. */
const STACK = 8 * 2 ** 20;

// koffi unloads a library when its handle is collected, and the next call would jump into unmapped memory: the handle
// lives as long as the process.
let library: LibraryHandle | undefined;

/** Loads the library, once a process. */
export function loadLibrary(): LibraryHandle {
  if (library !== undefined) return library;
  try {
    koffi.config({ async_stack_size: STACK });
  } catch {
    // Somebody else has loaded a library with koffi before. Only devices need it: they ask `hasDeepStack`.
  }
  const path = libraryPath();
  // ONNX Runtime sends what it is used for to its makers, and keeps an id and logs on the disk for it, unless this is said.
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
  try {
    library = koffi.load(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RuntimeError("RUNTIME_UNAVAILABLE", `ONNX Runtime's library ${path} cannot be loaded: ${why}`, {
      cause,
    });
  }
  return library;
}

/** Whether calls on other threads have the stack that a device's compiler of shaders needs: koffi's own 128 kB overrun. */
export function hasDeepStack(): boolean {
  loadLibrary();
  const { async_stack_size: bytes } = koffi.config() as { readonly async_stack_size: number };
  return bytes >= STACK;
}
