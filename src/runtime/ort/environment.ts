import { availableParallelism } from "node:os";
import { RuntimeError } from "../errors.ts";
import { ortApi, type Pointer } from "./api.ts";

const ERROR_LEVEL = 3;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

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
  const memoryInfo = api.create("CreateCpuMemoryInfo", ARENA_ALLOCATOR, DEFAULT_MEMORY);
  environment = { pointer, memoryInfo, threads };
  return environment;
}
