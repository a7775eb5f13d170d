import { RuntimeError } from "../errors.ts";
import { type NativeMemory, ortApi, type Pointer, textAt } from "./api.ts";
import { KEEP_ASSIGNMENT } from "./assignment.ts";
import { ortEnvironment } from "./environment.ts";
import type { Provider } from "./providers.ts";
import { inTurn, Profiling } from "./turns.ts";

/** Who computes a session besides the CPU, and gives it back when nothing runs. */
interface SessionDevice {
  readonly provider: Provider;
  release(what: "ReleaseSession", pointer: Pointer): void;
}

const ALL_OPTIMIZATIONS = 99;

const sessions = new FinalizationRegistry<Held>(release);

/** What a session leaves behind. */
interface Held {
  readonly pointer: Pointer;
  readonly device: SessionDevice | undefined;
  readonly profiling: Profiling | undefined;
}

function release({ pointer, device, profiling }: Held): void {
  (device ?? ortApi()).release("ReleaseSession", pointer);
  profiling?.end();
}

/** What a session is made with, besides its model. */
export interface SessionOptions {
  readonly constants?: NativeConstants | undefined;
  /** Who computes besides the CPU. */
  readonly device?: SessionDevice | undefined;
  /** Names of nodes that it is to leave to the CPU. */
  readonly onCpu?: readonly string[];
  /** For a session that is to be profiled, until {@link OrtSession.endProfiling}. */
  readonly observer?: SessionObserver | undefined;
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
  readonly #held: Held;
  readonly #observer: SessionObserver | undefined;
  #running = 0;
  #closed = false;
  #isRecorded = false;

  /**
   * @throws RuntimeError with the library's message when the model is not valid or uses an operator it lacks.
   */
  constructor(model: Uint8Array, { constants, device, onCpu = [], observer }: SessionOptions = {}) {
    const api = ortApi();
    // Providers log to it when they are added.
    const environment = ortEnvironment();
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
      if (device !== undefined) {
        api.call("AddSessionConfigEntry", settings, KEEP_ASSIGNMENT, "1");
        device.provider.appendTo(settings, onCpu);
      }
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
        environment.pointer,
        model,
        model.byteLength,
        settings,
      );
    } finally {
      api.release("ReleaseSessionOptions", settings);
    }
    this.#held = { pointer: this.#pointer, device, profiling: observer && new Profiling() };
    sessions.register(this, this.#held, this);
  }

  /** The library's handle (`OrtSession*`), for what only looks at it. */
  get pointer(): Pointer {
    if (this.#closed) throw new RuntimeError("SESSION_CLOSED", "This session is closed.");
    return this.#pointer;
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
    release(this.#held);
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

  /** Runs at once, on this thread: for what takes no time, or must not be overtaken. */
  runNow(
    inputs: NativeNames,
    inputValues: NativeMemory,
    outputs: NativeNames,
    outputValues: NativeMemory,
  ): void {
    ortApi().call(
      "Run",
      this.pointer,
      null,
      inputs.pointers,
      inputValues,
      inputs.count,
      outputs.pointers,
      outputs.count,
      outputValues,
    );
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
    const { profiling } = this.#held;
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
