import koffi, { type LibraryHandle } from "koffi";

/** What the NVIDIA driver says of this machine. */
export interface NvidiaDriver {
  /** Names of the GPUs that this process may use. */
  readonly gpus: readonly string[];
  /** Newest version of CUDA that it can run, such as `12.8`. */
  readonly cudaVersion: string;
}

// As long as the process: see ../ort/library.ts.
let library: LibraryHandle | undefined;

/** Asks the NVIDIA driver; undefined where there is none. */
export function nvidiaDriver(): NvidiaDriver | undefined {
  try {
    library ??= koffi.load(process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1");
  } catch {
    return undefined;
  }
  const init = library.func("int cuInit(uint32_t flags)");
  const getVersion = library.func("int cuDriverGetVersion(void *version)");
  const getCount = library.func("int cuDeviceGetCount(void *count)");
  const getName = library.func("int cuDeviceGetName(void *name, int length, int device)");
  const number = new Int32Array(new ArrayBuffer(4));
  getVersion(number);
  const version = number[0] ?? 0;
  const cudaVersion = `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
  if (init(0) !== 0 || getCount(number) !== 0) return { gpus: [], cudaVersion };
  const gpus = Array.from({ length: number[0] ?? 0 }, (_, device) => {
    const name = new Uint8Array(new ArrayBuffer(256));
    getName(name, name.length, device);
    return new TextDecoder().decode(name.subarray(0, Math.max(0, name.indexOf(0))));
  });
  return { gpus, cudaVersion };
}
