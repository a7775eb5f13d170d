import { RuntimeError } from "../errors.ts";
import { type NativeMemory, ortApi, type Pointer, textAt } from "./api.ts";
import { ortEnvironment } from "./environment.ts";
import { inTurn, Profiling } from "./turns.ts";

const ALL_OPTIMIZATIONS = 99;

const sessions = new FinalizationRegistry<Held>(release);

/** What a session leaves behind. */
interface Held {
  readonly pointer: Pointer;
  readonly profiling: Profiling | undefined;
}

function release({ pointer, profiling }: Held): void {
  ortApi().release("ReleaseSession", pointer);
  profiling?.end();
}

/** Names as the library wants them: an array of addresses of null-terminated UTF-8. */
export interface NativeNames {
  readonly pointers: NativeMemory;
  readonly count: number;
}

/** Constants of a model that are not in its bytes, by name. Whoever holds the session holds their memory. */
export interface NativeConstants {
  readonly names: NativeNames;
  /** Addresses of `OrtValue`s. */
  readonly values: NativeMemory;
}

/** What is told of each run of a session. */
export interface SessionObserver {
  /** Beginning of the file that the library writes the times of nodes to. */
  readonly profilePrefix: string;
  /** @param milliseconds from the call until it settled. */
  ran(milliseconds: number): void;
}

/** Memory that graphs compute in, besides the buffers that they are given: what lies between operators, and constants. */
export interface ArenaStatistics {
  /** Bytes in use now. */
  readonly inUse: number;
  /** The most bytes that were in use at a time, since the process began. */
  readonly peak: number;
  /** Bytes that the arena holds of the system. */
  readonly reserved: number;
}

/** A compiled ONNX model. Its memory goes when the garbage collector finds that nothing needs it, or at once with `close`. */
export class OrtSession {
  readonly #pointer: Pointer;
  readonly #observer: SessionObserver | undefined;
  readonly #profiling: Profiling | undefined;
  #running = 0;
  #closed = false;
  #isRecorded = false;

  /**
   * @param observer for a session that is to be profiled, until {@link endProfiling}.
   * @throws RuntimeError with the library's message when the model is not valid or uses an operator it lacks.
   */
  constructor(model: Uint8Array, constants?: NativeConstants, observer?: SessionObserver) {
    const api = ortApi();
    this.#observer = observer;
    const settings = api.create("CreateSessionOptions");
    try {
      api.call("SetSessionGraphOptimizationLevel", settings, ALL_OPTIMIZATIONS);
      api.call("DisablePerSessionThreads", settings);
      // A planned pattern is allocated once more, in one piece, beside the pieces of the first run: up to twice the memory.
      api.call("DisableMemPattern", settings);
      api.call("AddSessionConfigEntry", settings, "session.use_env_allocators", "1");
      // Work is dealt to threads in smaller and smaller pieces, so that one core that is also wanted elsewhere holds up less.
      api.call("AddSessionConfigEntry", settings, "session.dynamic_block_base", "4");
      if (observer !== undefined) api.call("EnableProfiling", settings, nativePath(observer.profilePrefix));
      if (constants !== undefined)
        api.call(
          "AddExternalInitializers",
          settings,
          constants.names.pointers,
          constants.values,
          constants.names.count,
        );
      this.#pointer = api.create(
        "CreateSessionFromArray",
        ortEnvironment().pointer,
        model,
        model.byteLength,
        settings,
      );
    } finally {
      api.release("ReleaseSessionOptions", settings);
    }
    this.#profiling = observer && new Profiling();
    sessions.register(this, { pointer: this.#pointer, profiling: this.#profiling }, this);
  }

  /**
   * Gives the memory back now. Closing twice is closing once.
   *
   * @throws RuntimeError while the session runs: the library would go on in memory that is gone.
   */
  close(): void {
    if (this.#closed) return;
    if (this.#running > 0)
      throw new RuntimeError("ALREADY_RUNNING", "This session is running; close it when that has settled.");
    this.#closed = true;
    sessions.unregister(this);
    release({ pointer: this.#pointer, profiling: this.#profiling });
  }

  /**
   * Runs on a worker thread. The caller keeps everything referenced until it settles.
   *
   * @throws RuntimeError when the session is closed.
   */
  async run(
    inputs: NativeNames,
    inputValues: NativeMemory,
    outputs: NativeNames,
    outputValues: NativeMemory,
  ): Promise<void> {
    if (this.#closed) throw new RuntimeError("SESSION_CLOSED", "This session is closed and cannot run.");
    this.#running++;
    try {
      await inTurn(async () => {
        const started = performance.now();
        await ortApi().callAsync(
          "Run",
          this.#pointer,
          null,
          inputs.pointers,
          inputValues,
          inputs.count,
          outputs.pointers,
          outputs.count,
          outputValues,
        );
        this.#observer?.ran(performance.now() - started);
      });
    } finally {
      this.#running--;
    }
  }

  /**
   * Statistics of the arena that all sessions of the process share.
   *
   * @throws RuntimeError when the session is closed.
   */
  arena(): ArenaStatistics {
    if (this.#closed) throw new RuntimeError("SESSION_CLOSED", "This session is closed and has no arena.");
    const api = ortApi();
    const allocator = api.create("CreateAllocator", this.#pointer, ortEnvironment().memoryInfo);
    try {
      const statistics = api.create("AllocatorGetStats", allocator);
      const read = (key: string) => Number(api.text("GetKeyValue", statistics, key) ?? Number.NaN);
      const result = { inUse: read("InUse"), peak: read("MaxInUse"), reserved: read("TotalAllocated") };
      api.release("ReleaseKeyValuePairs", statistics);
      return result;
    } finally {
      api.release("ReleaseAllocator", allocator);
    }
  }

  /**
   * Ends profiling, when no session runs: runs that follow are not recorded. Gives the path of the file with the events;
   * undefined for a session that is closed, or was not profiled any more.
   */
  async endProfiling(): Promise<string | undefined> {
    const profiling = this.#profiling;
    if (this.#closed || profiling === undefined || this.#isRecorded) return undefined;
    this.#isRecorded = true;
    const api = ortApi();
    const allocator = api.create("GetAllocatorWithDefaultOptions");
    const out = new BigUint64Array(new ArrayBuffer(8));
    this.#running++;
    try {
      // Writing the file takes a while.
      await inTurn(() => api.callAsync("SessionEndProfiling", this.#pointer, allocator, out));
    } finally {
      this.#running--;
      profiling.end();
    }
    const [text = 0n] = out;
    try {
      return textAt(text);
    } finally {
      api.call("AllocatorFree", allocator, text);
    }
  }
}

/** A path as the library wants it (`ORTCHAR_T*`): UTF-16 on Windows, UTF-8 elsewhere. */
function nativePath(path: string): Uint8Array {
  return Buffer.from(`${path}\0`, process.platform === "win32" ? "utf16le" : "utf8");
}
