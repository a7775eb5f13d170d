import { type DType, input } from "../tensor/index.ts";
import type { DeviceMemory, TensorBuffer } from "./buffer.ts";
import { RuntimeError } from "./errors.ts";
import { ortApi, type Pointer } from "./ort/api.ts";
import { cpuNodes } from "./ort/assignment.ts";
import type { Provider } from "./ort/providers.ts";
import type { OrtSession } from "./ort/session.ts";
import { type Call, Program } from "./program.ts";

/** Nodes of graphs that a device has no kernel for: how many there are of each operator. */
export type Fallbacks = Readonly<Record<string, number>>;

/**
 * What computes instead of the CPU. Buffers with this `device` stay in its memory from call to call; those without cross
 * over in every call that they are bound to.
 */
export class Device implements DeviceMemory {
  readonly name: string;
  /** What it is, for people: the adapter and its driver. */
  readonly description: string;
  readonly provider: Provider;
  readonly #fallbacks = new Map<string, number>();
  /** Copies by dtype, number of axes and direction. */
  readonly #copies = new Map<string, Program>();
  #allocator: Pointer | undefined;
  /** What was begun last. */
  #last: Promise<unknown> = Promise.resolve();
  #running = 0;
  #programs = 0;

  constructor(name: string, description: string, provider: Provider) {
    this.name = name;
    this.description = description;
    this.provider = provider;
  }

  /** Name and description in one line. */
  get label(): string {
    return `${this.name} (${this.description})`;
  }

  /** Graphs compiled so far. */
  get programs(): number {
    return this.#programs;
  }

  /** Nodes of all graphs compiled so far that the CPU has to compute, by operator: each is a way there and back. */
  get onCpu(): Fallbacks {
    return Object.fromEntries(this.#fallbacks);
  }

  /**
   * Takes note of who computes what in a session.
   *
   * @param intended names of nodes that were to be left to the CPU.
   */
  watch(session: OrtSession, intended: readonly string[]): void {
    const expected = new Set(intended);
    this.#programs++;
    for (const { name, operator } of cpuNodes(session, this.provider.id))
      if (!expected.has(name)) this.#fallbacks.set(operator, (this.#fallbacks.get(operator) ?? 0) + 1);
  }

  /**
   * Runs after what was begun before, and never at once: whoever began it may still copy. Devices are not made to be used from
   * two threads.
   */
  readonly inTurn = <Result>(run: () => Promise<Result>): Promise<Result> => {
    const turn = this.#last.then(async () => {
      this.#running++;
      try {
        return await run();
      } finally {
        this.#running--;
      }
    });
    this.#last = turn.catch(() => {});
    return turn;
  };

  release(what: "ReleaseValue" | "ReleaseSession", pointer: Pointer): void {
    void this.inTurn(async () => ortApi().release(what, pointer));
  }

  allocate(elementType: number, shape: readonly number[]): Pointer {
    this.refuseWhileRunning();
    this.#allocator ??= this.#openAllocator();
    return ortApi().create(
      "CreateTensorAsOrtValue",
      this.#allocator,
      BigInt64Array.from(shape, BigInt),
      shape.length,
      elementType,
    );
  }

  /**
   * Copies by a graph that does nothing: that works with every provider, whatever it calls its memory.
   *
   * @throws RuntimeError while a call runs.
   */
  copy(from: TensorBuffer, to: TensorBuffer): void {
    this.refuseWhileRunning();
    this.#bindCopy(from, to).runNow();
  }

  #bindCopy(from: TensorBuffer, to: TensorBuffer): Call {
    return this.#copyProgram(from.dtype, from.shape.length).bind({ from }, { to });
  }

  #copyProgram(dtype: DType, rank: number): Program {
    const key = `${dtype} ${rank}`;
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const from = input(
      "from",
      dtype,
      Array.from({ length: rank }, (_, axis) => `axis_${axis}`),
    );
    const program = new Program({ inputs: [from], outputs: { to: from } }, {}, { device: this });
    this.#copies.set(key, program);
    return program;
  }

  #openAllocator(): Pointer {
    const { session } = this.#copyProgram("float32", 1);
    const api = ortApi();
    const memory = new BigUint64Array(1);
    api.call("SessionGetMemoryInfoForInputs", session.pointer, memory, 1);
    return api.create("CreateAllocator", session.pointer, memory[0] ?? 0n);
  }

  /** @throws RuntimeError while a call runs: a device is not to be touched from two threads. */
  refuseWhileRunning(): void {
    if (this.#running > 0)
      throw new RuntimeError(
        "ALREADY_RUNNING",
        `A call runs on ${this.name}; its memory can be read and written, and graphs compiled, when that has settled.`,
      );
  }
}
