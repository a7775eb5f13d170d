import { availableParallelism } from "node:os";
import { RuntimeError } from "../errors.ts";
import { addressOf, ortApi, type Pointer } from "./api.ts";

const ERROR_LEVEL = 3;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;
const SAME_AS_REQUESTED = 1;

/** Handles that every session of the process shares. */
export interface Environment {
  readonly pointer: Pointer;
  /** Describes CPU memory to the library. */
  readonly memoryInfo: Pointer;
  /** Threads of the one pool that all sessions use: pools of their own would spin against each other. */
  readonly threads: number;
}

function threadCount(): number {
  const text = process.env.CODEX_ML_THREADS;
  if (text === undefined || text === "") return availableParallelism();
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1)
    throw new RuntimeError(
      "BAD_THREADS",
      `CODEX_ML_THREADS must be a whole number of at least 1; got "${text}".`,
    );
  return threads;
}

let environment: Environment | undefined;

/** Creates the library's environment at the first use, with one global thread pool. */
export function ortEnvironment(): Environment {
  if (environment !== undefined) return environment;
  const api = ortApi();
  const threads = threadCount();
  const options = api.create("CreateThreadingOptions");
  api.call("SetGlobalIntraOpNumThreads", options, threads);
  api.call("SetGlobalInterOpNumThreads", options, 1);
  // Idle threads that spin start the next operator sooner; CODEX_ML_SPIN=0 is kind to other processes of the machine.
  api.call("SetGlobalSpinControl", options, process.env.CODEX_ML_SPIN === "0" ? 0 : 1);
  const pointer = api.create("CreateEnvWithGlobalThreadPools", ERROR_LEVEL, "codex-ml", options);
  api.release("ReleaseThreadingOptions", options);
  // A worker thread has an environment of variables of its own, which the library does not read.
  if (process.env.ORT_DISABLE_TELEMETRY === "1") api.call("DisableTelemetryEvents", pointer);
  const memoryInfo = api.create("CreateCpuMemoryInfo", ARENA_ALLOCATOR, DEFAULT_MEMORY);
  registerArena(pointer, memoryInfo);
  environment = { pointer, memoryInfo, threads };
  return environment;
}

/**
 * One arena for all sessions, which grows by what is asked for. Left to itself, every session keeps an arena of its own and
 * doubles it: the 6 × 384 GPT of the benchmark took a third more memory.
 */
function registerArena(environment: Pointer, memoryInfo: Pointer): void {
  const api = ortApi();
  const settings = { arena_extend_strategy: SAME_AS_REQUESTED };
  const names = Object.keys(settings).map(nullTerminated);
  const configuration = api.create(
    "CreateArenaCfgV2",
    BigUint64Array.from(names, addressOf),
    BigUint64Array.from(Object.values(settings), BigInt),
    names.length,
  );
  api.call("CreateAndRegisterAllocator", environment, memoryInfo, configuration);
  api.release("ReleaseArenaCfg", configuration);
}

/** UTF-8 outside of V8's heap, where it does not move. */
function nullTerminated(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const fixed = new Uint8Array(new ArrayBuffer(bytes.length));
  fixed.set(bytes);
  return fixed;
}
