import { RuntimeError } from "../errors.ts";
import { type NativeMemory, ortApi, type Pointer } from "./api.ts";
import { KEEP_ASSIGNMENT } from "./assignment.ts";
import { ortEnvironment } from "./environment.ts";
import type { Provider } from "./providers.ts";

/** Who computes a session besides the CPU, and gives it back when nothing runs. */
interface SessionDevice {
  readonly provider: Provider;
  release(what: "ReleaseSession", pointer: Pointer): void;
}

const ALL_OPTIMIZATIONS = 99;

const sessions = new FinalizationRegistry<{
  readonly pointer: Pointer;
  readonly device: SessionDevice | undefined;
}>(({ pointer, device }) => (device ?? ortApi()).release("ReleaseSession", pointer));

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

/** A compiled ONNX model. Its memory goes when the garbage collector finds that nothing needs it, or at once with `close`. */
export class OrtSession {
  readonly #pointer: Pointer;
  readonly #device: SessionDevice | undefined;
  #running = 0;
  #closed = false;

  /**
   * @param device who computes besides the CPU.
   * @param onCpu names of nodes that it is to leave to the CPU.
   * @throws RuntimeError with the library's message when the model is not valid or uses an operator it lacks.
   */
  constructor(
    model: Uint8Array,
    constants?: NativeConstants,
    device?: SessionDevice,
    onCpu: readonly string[] = [],
  ) {
    const api = ortApi();
    // Providers log to it when they are added.
    const environment = ortEnvironment();
    const settings = api.create("CreateSessionOptions");
    try {
      api.call("SetSessionGraphOptimizationLevel", settings, ALL_OPTIMIZATIONS);
      api.call("DisablePerSessionThreads", settings);
      // A planned pattern is allocated once more, in one piece, beside the pieces of the first run: up to twice the memory.
      api.call("DisableMemPattern", settings);
      api.call("AddSessionConfigEntry", settings, "session.use_env_allocators", "1");
      // Work is dealt to threads in smaller and smaller pieces, so that one core that is also wanted elsewhere holds up less.
      api.call("AddSessionConfigEntry", settings, "session.dynamic_block_base", "4");
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
    this.#device = device;
    sessions.register(this, { pointer: this.#pointer, device }, this);
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
    (this.#device ?? ortApi()).release("ReleaseSession", this.#pointer);
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
}
