import type { Optimizer } from "../optim/index.ts";
import { type Call, type Profiler, type Program, runInOrder, TensorBuffer } from "../runtime/index.ts";
import { TrainingError } from "./errors.ts";
import { type Piece, RollingMemory } from "./rolling-memory.ts";
import type { Place, StepUpdates } from "./step-memory.ts";
import { type UpdateForm, updateProgram } from "./update-graph.ts";
import { ratesKey, type UpdateRates, type UpdateUnit } from "./update-units.ts";
import { prefixed } from "./weights.ts";

export interface UpdateNumbers {
  /** Counts from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** A factor on all gradients. */
  readonly clip: number;
  /** Which set of gradients is read. */
  readonly gradients: number;
}

/** Memory for a float32 number. */
export function scalarBuffer(): TensorBuffer<"float32"> {
  return new TensorBuffer({ dtype: "float32", shape: [] });
}

/** All parameters that are trained, their optimizer state, and how they are replaced, a piece at a time. */
export class Updates implements StepUpdates {
  readonly memory: RollingMemory;
  readonly #optimizer: Optimizer;
  readonly #profiler: Profiler | undefined;
  readonly #clip = scalarBuffer();
  /** The optimizer's numbers for each pair of rates. */
  readonly #numbers = new Map<string, { readonly unit: UpdateUnit; readonly buffers: Numbers }>();
  readonly #programs: { readonly form: UpdateForm; readonly program: Program }[] = [];
  /** By the place that an update starts from and the gradients that it reads, in the order of the pieces. */
  readonly #calls: readonly (readonly (readonly Call[])[])[];
  /** Whether no call takes long: a rule may do anything with a whole parameter. */
  readonly #areSmall: boolean;
  #place: Place = 0;
  #torn = false;

  constructor(optimizer: Optimizer, units: readonly UpdateUnit[], gradientSets: 1 | 2, profiler?: Profiler) {
    this.#areSmall = units.every(({ rule }) => !rule.perParameter);
    this.#optimizer = optimizer;
    this.#profiler = profiler;
    this.memory = new RollingMemory(units, gradientSets);
    for (const unit of units)
      this.#numbers.set(ratesKey(unit), {
        unit,
        buffers: Object.fromEntries(optimizer.scalars.map((name) => [name, scalarBuffer()])),
      });
    this.#calls = ([0, 1] as const).map((from) =>
      Array.from({ length: gradientSets }, (_, set) =>
        this.memory.pieces.map((piece) => this.#bind(piece, from, set)),
      ),
    );
  }

  /** Where parameters and state are now. */
  get place(): Place {
    if (this.#torn)
      throw new TrainingError(
        "TORN_UPDATE",
        "An update failed when some parameters were updated and others were not; go on from a checkpoint.",
      );
    return this.#place;
  }

  /** Goes on where so many updates would have come to: the memory then is in the same order as if they had been done here. */
  startFrom(step: number): void {
    this.#place = step % 2 === 0 ? 0 : 1;
    this.#torn = false;
  }

  /** Replaces all parameters and all state. */
  async run({ step, learningRate, clip, gradients }: UpdateNumbers): Promise<void> {
    const from = this.place;
    write(this.#clip, clip, "clip");
    for (const { unit, buffers } of this.#numbers.values())
      writeNumbers(this.#optimizer, unit, { step, learningRate }, buffers);
    const calls = this.#calls[from]?.[gradients] ?? [];
    this.#torn = true;
    // The free room is in front of the first piece, or behind the last.
    const inOrder = from === 0 ? calls : calls.toReversed();
    if (this.#areSmall) await runInOrder(inOrder);
    else for (const call of inOrder) await call.run();
    this.#torn = false;
    this.#place = from === 0 ? 1 : 0;
  }

  #bind(piece: Piece, from: Place, set: number): Call {
    const { buffers } = this.#numbers.get(ratesKey(piece.unit)) ?? {};
    return this.#programFor(piece).bind(
      {
        ...this.memory.piece(piece, from),
        gradient: this.memory.pieceGradient(piece, set),
        clip: this.#clip,
        ...prefixed("optimizer", buffers ?? {}),
      },
      prefixed("next", this.memory.piece(piece, from === 0 ? 1 : 0)),
    );
  }

  /** Pieces of one rule share a program: any number of elements, or tensors of one shape. */
  #programFor({ unit: { rule, weightDecay }, shape, slots }: Piece): Program {
    const any = ["n"];
    const form: UpdateForm = {
      rule,
      decays: weightDecay !== 0,
      shape: rule.perParameter ? shape : any,
      slots: Object.fromEntries(
        Object.entries(slots).map(([slot, at]) => [slot, rule.perParameter ? at.shape : any]),
      ),
    };
    const known = this.#programs.find(
      (one) =>
        one.form.rule === rule &&
        one.form.decays === form.decays &&
        one.form.shape.join() === form.shape.join(),
    );
    if (known) return known.program;
    const program = updateProgram(this.#optimizer, form, this.#profiler);
    this.#programs.push({ form, program });
    return program;
  }
}

type Numbers = Readonly<Record<string, TensorBuffer<"float32">>>;

/** Works out the optimizer's numbers for a unit's rates, and writes them. */
export function writeNumbers(
  optimizer: Optimizer,
  { learningRateScale, weightDecay }: UpdateRates,
  { step, learningRate }: Pick<UpdateNumbers, "step" | "learningRate">,
  buffers: Numbers,
): void {
  const numbers = { step, learningRate: learningRate * learningRateScale, weightDecay };
  for (const [name, value] of Object.entries(optimizer.scalarValues(numbers)))
    write(buffers[name], value, name);
}

/** @throws TrainingError unless the number is one that float32 can hold, and one that is wanted. */
export function write(buffer: TensorBuffer<"float32"> | undefined, value: number, name: string): void {
  const rounded = Math.fround(value);
  if (buffer === undefined || !Number.isFinite(rounded) || (rounded === 0 && value !== 0))
    throw new TrainingError(
      "BAD_SCALAR",
      `${value} was to be fed to the update as "${name}"; it must be a number that float32 can hold, under a name that the optimizer lists.`,
    );
  buffer.data[0] = value;
}
