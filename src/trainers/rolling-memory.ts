import type { Parameter } from "../nn/index.ts";
import { TensorBuffer } from "../runtime/index.ts";
import { TrainingError } from "./errors.ts";
import type { Place, StepMemory } from "./step-memory.ts";
import { slotShape, type UpdateUnit } from "./update-units.ts";
import type { Weights } from "./weights.ts";

/**
 * Elements of what is updated at a time. An update is a dozen operators that each read and write whole arrays: of this size
 * the arrays in between stay in the caches, and only parameter, gradient and state travel to memory and back.
 */
const PIECE = 2 ** 18;

/** What one call of an update reads and replaces. */
export interface Piece {
  readonly unit: UpdateUnit;
  /** Shape of the parameter, or (elements) of a part of several that are laid end to end. */
  readonly shape: readonly number[];
  /** First element among those of its array. */
  readonly offset: number;
  readonly slots: Readonly<Record<string, { readonly shape: readonly number[]; readonly offset: number }>>;
}

/**
 * Weights and optimizer state of all parameters that are trained, once, and room for one piece more.
 *
 * A graph must not write what it still reads, so an update cannot replace a piece where it stands. It writes it a piece further
 * on instead: into the room that is free, or that the piece before has just left. One update moves everything towards the
 * front, the next towards the back. Two whole sets of arrays to swap would take twice the memory.
 */
export class RollingMemory implements StepMemory {
  readonly pieces: readonly Piece[];
  readonly #parameters: Arena;
  readonly #slots: ReadonlyMap<string, Arena>;
  readonly #gradients: readonly Arena[];

  /** @param gradientSets How many sums of gradients there are at a time: 2 where one is read while the next is written. */
  constructor(units: readonly UpdateUnit[], gradientSets: 1 | 2) {
    const slots = [...new Set(units.flatMap(({ rule }) => rule.slots))];
    const taken = slots.find((slot) => /^(next|optimizer|parameter|gradient|clip)$|\//.test(slot));
    if (taken !== undefined)
      throw new TrainingError(
        "OPTIMIZER_SLOT",
        `The optimizer calls its state "${taken}", which is what the graph calls something of its own. Give the slot another name.`,
      );
    const layouts = new Map(["", ...slots].map((slot) => [slot, new Layout(slot, units)]));
    const layoutOf = (slot: string) => layouts.get(slot) as Layout;
    this.pieces = units.flatMap((unit) => piecesOf(unit, layoutOf));
    const longest = (slot: string) =>
      Math.max(
        0,
        ...this.pieces.map((piece) =>
          elements(slot === "" ? piece.shape : (piece.slots[slot]?.shape ?? [0])),
        ),
      );
    this.#parameters = new Arena(layoutOf(""), longest(""));
    this.#slots = new Map(slots.map((slot) => [slot, new Arena(layoutOf(slot), longest(slot))]));
    this.#gradients = Array.from({ length: gradientSets }, () => new Arena(layoutOf(""), 0));
  }

  /** The parameters at a place. */
  parameters(place: Place): Weights {
    return this.#parameters.all(place);
  }

  /** The optimizer's state at a place, by `slot/parameter`. */
  slots(place: Place): Weights {
    return Object.fromEntries(
      [...this.#slots].flatMap(([slot, arena]) =>
        Object.entries(arena.all(place)).map(([name, buffer]) => [`${slot}/${name}`, buffer]),
      ),
    );
  }

  /** Gradients by parameter, of one of the sets. */
  gradients(set: number): Weights {
    return (this.#gradients[set] as Arena).all(1);
  }

  /** Sets one of the sets of gradients to zeros. */
  clearGradients(set: number): void {
    (this.#gradients[set] as Arena).memory.data.fill(0);
  }

  /** The buffers of a piece at a place: `parameter`, and each slot by its name. */
  piece({ shape, offset, slots }: Piece, place: Place): Weights {
    return {
      parameter: this.#parameters.view(place, offset, shape),
      ...Object.fromEntries(
        Object.entries(slots).map(([slot, at]) => [
          slot,
          (this.#slots.get(slot) as Arena).view(place, at.offset, at.shape),
        ]),
      ),
    };
  }

  /** The gradient of a piece. */
  pieceGradient({ shape, offset }: Piece, set: number): TensorBuffer<"float32"> {
    return (this.#gradients[set] as Arena).view(1, offset, shape);
  }
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Where each parameter's tensor begins in the array of the parameters (slot "") or of a slot. */
class Layout {
  readonly tensors = new Map<Parameter, { readonly shape: readonly number[]; readonly offset: number }>();
  readonly length: number;

  constructor(slot: string, units: readonly UpdateUnit[]) {
    let offset = 0;
    for (const { rule, parameters } of units) {
      if (slot !== "" && !rule.slots.includes(slot)) continue;
      for (const parameter of parameters) {
        const shape = slot === "" ? parameter.dims : slotShape(rule, slot, parameter.dims);
        this.tensors.set(parameter, { shape, offset });
        offset += elements(shape);
      }
    }
    this.length = offset;
  }

  at(parameter: Parameter | undefined) {
    const tensor = parameter && this.tensors.get(parameter);
    if (tensor === undefined) throw new TrainingError("PARAMETER_NAME", "A parameter has no memory.");
    return tensor;
  }
}

function piecesOf(unit: UpdateUnit, layoutOf: (slot: string) => Layout): Piece[] {
  const { rule, parameters } = unit;
  if (rule.perParameter)
    return parameters.map((parameter) => ({
      unit,
      ...layoutOf("").at(parameter),
      slots: Object.fromEntries(rule.slots.map((slot) => [slot, layoutOf(slot).at(parameter)])),
    }));
  const total = parameters.reduce((sum, { dims }) => sum + elements(dims), 0);
  return Array.from({ length: Math.ceil(total / PIECE) }, (_, index) => {
    const from = index * PIECE;
    const shape = [Math.min(PIECE, total - from)];
    const place = (slot: string) => ({ shape, offset: layoutOf(slot).at(parameters[0]).offset + from });
    return {
      unit,
      ...place(""),
      slots: Object.fromEntries(rule.slots.map((slot) => [slot, place(slot)])),
    };
  });
}

/** One array of tensors laid end to end, that can stand at either end of its memory. */
class Arena {
  readonly memory: TensorBuffer<"float32">;
  readonly #layout: Layout;
  readonly #room: number;

  constructor(layout: Layout, room: number) {
    this.#layout = layout;
    this.#room = room;
    this.memory = new TensorBuffer({ dtype: "float32", shape: [layout.length + room] });
  }

  view(place: Place, offset: number, shape: readonly number[]): TensorBuffer<"float32"> {
    return new TensorBuffer({
      dtype: "float32",
      shape,
      within: { buffer: this.memory, offset: offset + (place === 0 ? this.#room : 0) },
    });
  }

  all(place: Place): Weights {
    return Object.fromEntries(
      [...this.#layout.tensors].map(([{ name }, { shape, offset }]) => [
        name,
        this.view(place, offset, shape),
      ]),
    );
  }
}
