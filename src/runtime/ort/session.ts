import { type NativeMemory, ortApi, type Pointer } from "./api.ts";
import { ortEnvironment } from "./environment.ts";

const ALL_OPTIMIZATIONS = 99;

const sessions = new FinalizationRegistry<Pointer>((pointer) => ortApi().release("ReleaseSession", pointer));

/** Names as the library wants them: an array of addresses of null-terminated UTF-8. */
export interface NativeNames {
  readonly pointers: NativeMemory;
  readonly count: number;
}

/** A compiled ONNX model. */
export class OrtSession {
  readonly pointer: Pointer;

  /** @throws RuntimeError with the library's message when the model is not valid or uses an operator it lacks. */
  constructor(model: Uint8Array) {
    const api = ortApi();
    const settings = api.create("CreateSessionOptions");
    try {
      api.call("SetSessionGraphOptimizationLevel", settings, ALL_OPTIMIZATIONS);
      api.call("DisablePerSessionThreads", settings);
      // A planned pattern is allocated once more, in one piece, beside the pieces of the first run: up to twice the memory.
      api.call("DisableMemPattern", settings);
      api.call("AddSessionConfigEntry", settings, "session.use_env_allocators", "1");
      // Work is dealt to threads in smaller and smaller pieces, so that one core that is also wanted elsewhere holds up less.
      api.call("AddSessionConfigEntry", settings, "session.dynamic_block_base", "4");
      this.pointer = api.create(
        "CreateSessionFromArray",
        ortEnvironment().pointer,
        model,
        model.byteLength,
        settings,
      );
    } finally {
      api.release("ReleaseSessionOptions", settings);
    }
    sessions.register(this, this.pointer);
  }

  /** Runs on a worker thread. The caller keeps everything referenced until it settles. */
  run(
    inputs: NativeNames,
    inputValues: NativeMemory,
    outputs: NativeNames,
    outputValues: NativeMemory,
  ): Promise<void> {
    return ortApi().callAsync(
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
