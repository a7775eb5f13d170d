import { setImmediate } from "node:timers/promises";
import { describe, formatShape, sumTerms, type Tensor } from "../tensor/index.ts";
import type { TensorBuffer } from "./buffer.ts";
import type { Device } from "./device.ts";
import { RuntimeError } from "./errors.ts";
import { elementCount } from "./host-tensor.ts";
import { encodeForDevice, type GraphSpec, inputName } from "./onnx-model.ts";
import type { NativeMemory } from "./ort/api.ts";
import { EncodedNames } from "./ort/names.ts";
import { type ArenaStatistics, OrtSession } from "./ort/session.ts";
import { isAnyProfiled } from "./ort/turns.ts";
import type { Profiler } from "./profiler.ts";

/** What a program runs with. */
export interface ProgramOptions {
  /** What computes. Default: the CPU. */
  readonly device?: Device | undefined;
  /** Records what its nodes take. */
  readonly profiler?: Profiler | undefined;
}

/** Buffers by the names of a program's inputs or outputs. */
export type Buffers = Readonly<Record<string, TensorBuffer>>;

/** A traced graph, compiled by ONNX Runtime and ready to run. */
export class Program {
  readonly #session: OrtSession;
  readonly #inputs: ReadonlyMap<string, Tensor>;
  readonly #outputs: ReadonlyMap<string, Tensor>;
  readonly #inputNames: EncodedNames;
  readonly #outputNames: EncodedNames;

  /** Memory that the session reads. */
  readonly #fixed: readonly TensorBuffer[];
  readonly #device: Device | undefined;

  /**
   * @param fixed buffers of inputs that stay as they are: `bind` takes them no more. The library brings matrices among them
   * into the order in which it reads them fastest, which takes time now and as much memory again.
   * @param on what computes, and what records it.
   * @throws RuntimeError when the graph reads an input that is not listed, the library refuses it, or a fixed buffer does not
   * fit.
   */
  constructor(spec: GraphSpec, fixed: Buffers = {}, { device, profiler }: ProgramOptions = {}) {
    const inputs = new Map(spec.inputs.map((tensor) => [inputName(tensor), tensor]));
    const names = new Set(Object.keys(fixed));
    this.#inputs = new Map([...inputs].filter(([name]) => !names.has(name)));
    this.#outputs = new Map(Object.entries(spec.outputs));
    const wanted = new Map([...inputs].filter(([name]) => names.has(name)));
    this.#fixed = match("input", wanted, fixed, new Map());
    device?.refuseWhileRunning();
    const { bytes, onCpu } = encodeForDevice(spec, names, device?.provider);
    const constants = {
      names: new EncodedNames([...wanted.keys()]),
      values: BigUint64Array.from(this.#fixed, ({ pointer }) => pointer),
    };
    const observer = profiler?.record(this.#outputs.values());
    this.#session = new OrtSession(bytes, { constants, device, onCpu, observer });
    if (observer !== undefined) observer.session = this.#session;
    this.#device = device;
    device?.watch(this.#session, onCpu);
    this.#inputNames = new EncodedNames([...this.#inputs.keys()]);
    this.#outputNames = new EncodedNames([...this.#outputs.keys()]);
  }

  /** The library's session, for what only looks at it. */
  get session(): OrtSession {
    return this.#session;
  }

  /**
   * Ties buffers to the program's inputs and outputs. The same call can be run again and again; what the buffers hold
   * at that moment is read.
   *
   * @throws RuntimeError unless every input and output has a buffer of its dtype and shape, free symbols have one length
   * each, and no output shares memory with an input (the graph writes while it still reads).
   */
  bind(inputs: Buffers, outputs: Buffers): Call {
    const symbols = new Map<string, number>();
    const inputBuffers = match("input", this.#inputs, inputs, symbols);
    const outputBuffers = match("output", this.#outputs, outputs, symbols);
    checkSums(symbols);
    for (const buffer of [...inputBuffers, ...outputBuffers])
      if (buffer.device !== undefined && buffer.device !== this.#device)
        throw new RuntimeError(
          "OTHER_DEVICE",
          `A buffer of shape ${formatShape(buffer.shape)} is in the memory of ${buffer.device.name}; the program runs on ${this.#device?.name ?? "cpu"}.`,
        );
    refuseOverlaps(inputs, outputs);
    const run = this.#device?.inTurn;
    return new Call(this.#session, this.#inputNames, inputBuffers, this.#outputNames, outputBuffers, run);
  }

  /** Of the memory that all programs of the process compute in. */
  arena(): ArenaStatistics {
    return this.#session.arena();
  }

  /**
   * Gives the library's memory back now; left out, the garbage collector does it some time after the last use. Calls that
   * were bound cannot run any more.
   *
   * @throws RuntimeError while a call runs.
   */
  close(): void {
    this.#session.close();
  }
}

/** A program with its buffers. */
export class Call {
  readonly #session: OrtSession;
  readonly #names: readonly [EncodedNames, EncodedNames];
  readonly #buffers: readonly TensorBuffer[];
  readonly #inputValues: NativeMemory;
  readonly #outputValues: NativeMemory;
  readonly #inTurn: Device["inTurn"] | undefined;
  #running = false;

  constructor(
    session: OrtSession,
    inputNames: EncodedNames,
    inputs: readonly TensorBuffer[],
    outputNames: EncodedNames,
    outputs: readonly TensorBuffer[],
    inTurn?: Device["inTurn"],
  ) {
    this.#session = session;
    this.#inTurn = inTurn;
    this.#names = [inputNames, outputNames];
    // Holding the buffers keeps their memory where the library was told that it is.
    this.#buffers = [...inputs, ...outputs];
    this.#inputValues = BigUint64Array.from(inputs, (buffer) => buffer.pointer);
    this.#outputValues = BigUint64Array.from(outputs, (buffer) => buffer.pointer);
  }

  /** Executes the graph off the event loop; the output buffers hold the results once it settles. */
  async run(): Promise<void> {
    this.#check();
    this.#running = true;
    const run = () =>
      this.#session.run(this.#names[0], this.#inputValues, this.#names[1], this.#outputValues);
    try {
      await (this.#inTurn?.(run) ?? run());
    } finally {
      this.#running = false;
    }
  }

  /** The same on this thread, at once. */
  runNow(): void {
    this.#check();
    this.#session.runNow(this.#names[0], this.#inputValues, this.#names[1], this.#outputValues);
  }

  /** Whether {@link runNow} is as good as {@link run}: it waits neither for a device nor for a session that is profiled. */
  get mayRunNow(): boolean {
    return this.#inTurn === undefined && !isAnyProfiled();
  }

  #check(): void {
    if (this.#running)
      throw new RuntimeError(
        "ALREADY_RUNNING",
        "This call is running; it can run again when it has settled.",
      );
    // Memory that was handed to another thread (postMessage with a transfer list) is no longer where the library was told.
    for (const buffer of this.#buffers)
      if (buffer.device === undefined && buffer.data.length === 0 && elementCount(buffer.shape) > 0)
        throw new RuntimeError(
          "DETACHED_BUFFER",
          `A buffer of shape ${formatShape(buffer.shape)} has lost its memory.`,
        );
  }
}

/** Milliseconds for which the event loop is held up at most, if not one call takes longer. */
const HOLD_UP = 4;

/**
 * Runs small calls one after the other. To have one run on another thread and to hear of it costs about 0.07 ms, as much as a
 * small one takes: they run on this thread, and the event loop gets its turn now and then, and at the end.
 */
export async function runInOrder(calls: readonly Call[]): Promise<void> {
  let since = performance.now();
  for (const call of calls) {
    if (performance.now() - since >= HOLD_UP) {
      await setImmediate();
      since = performance.now();
    }
    if (call.mayRunNow) call.runNow();
    else await call.run();
  }
  await setImmediate();
}

/**
 * Two outputs in the same bytes would overwrite each other, and an output in an input's bytes what is still read. Neighbours
 * in one memory are fine.
 */
function refuseOverlaps(inputs: Buffers, outputs: Buffers): void {
  const ranges = (buffers: Buffers, written: boolean) =>
    Object.entries(buffers).map(([name, buffer]) => {
      // A device's memory has no views: every buffer is its own.
      if (buffer.device !== undefined) return { name, written, memory: buffer, start: 0, end: 1 };
      const { data } = buffer;
      const [start, end] = [data.byteOffset, data.byteOffset + data.byteLength];
      return { name, written, memory: data.buffer, start, end };
    });
  const all = [...ranges(inputs, false), ...ranges(outputs, true)].sort((a, b) => a.start - b.start);
  type Range = (typeof all)[number];
  // The ranges before that reach furthest in each memory: of all, and of those that are written.
  const furthest = new Map<ArrayBufferLike | TensorBuffer, { any?: Range; written?: Range }>();
  for (const range of all) {
    const before = furthest.get(range.memory) ?? {};
    const other = range.written ? before.any : before.written;
    if (other !== undefined && range.start < other.end)
      throw new RuntimeError(
        "ALIASED_BUFFER",
        range.written && other.written
          ? `The outputs "${other.name}" and "${range.name}" would be written into the same memory.`
          : `The output "${(range.written ? range : other).name}" would be written into memory that an input is read from.`,
      );
    if (range.end > (before.any?.end ?? -1)) before.any = range;
    if (range.written && range.end > (before.written?.end ?? -1)) before.written = range;
    furthest.set(range.memory, before);
  }
}

/** A free axis that is the sum of others has the sum of their lengths. */
function checkSums(symbols: ReadonlyMap<string, number>): void {
  for (const [dim, length] of symbols) {
    const terms = sumTerms(dim).map((term) => (typeof term === "number" ? term : symbols.get(term)));
    if (terms.some((term) => term === undefined)) continue;
    const sum = terms.reduce((total: number, term) => total + (term ?? 0), 0);
    if (sum !== length)
      throw new RuntimeError(
        "BUFFER_MISMATCH",
        `An axis ${dim} has ${length} elements in a buffer; the others make it ${sum}.`,
      );
  }
}

function match(
  role: "input" | "output",
  wanted: ReadonlyMap<string, Tensor>,
  given: Buffers,
  symbols: Map<string, number>,
): TensorBuffer[] {
  for (const name of Object.keys(given))
    if (!wanted.has(name)) throw new RuntimeError("UNKNOWN_BUFFER", `The program has no ${role} "${name}".`);
  return [...wanted].map(([name, tensor]) => {
    const buffer = given[name];
    if (buffer === undefined)
      throw new RuntimeError("MISSING_BUFFER", `The program's ${role} "${name}" has no buffer.`);
    const fits =
      buffer.dtype === tensor.dtype &&
      buffer.shape.length === tensor.rank &&
      buffer.shape.every((length, axis) => {
        const dim = tensor.dim(axis);
        if (typeof dim === "number") return dim === length;
        const known = symbols.get(dim) ?? length;
        symbols.set(dim, known);
        return known === length;
      });
    if (!fits)
      throw new RuntimeError(
        "BUFFER_MISMATCH",
        `The ${role} "${name}" is ${describe(tensor)}, but its buffer is ${buffer.dtype}${formatShape(buffer.shape)}.`,
      );
    return buffer;
  });
}
