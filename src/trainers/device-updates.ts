import type { Parameter } from "../nn/index.ts";
import type { Optimizer } from "../optim/index.ts";
import { type Call, type Device, Program, TensorBuffer } from "../runtime/index.ts";
import { broadcastTo, input } from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";
import type { Place, StepMemory, StepUpdates } from "./step-memory.ts";
import { deviceUpdateProgram } from "./update-graph.ts";
import { ratesKey, slotShape, type UpdateUnit } from "./update-units.ts";
import { scalarBuffer, type UpdateNumbers, write, writeNumbers } from "./updates.ts";
import { prefixed, type Weights } from "./weights.ts";

/**
 * Parameters, their optimizer state and gradients in a device's memory. A device's memory has no views, so that pieces cannot
 * be moved along it as on the CPU (decision 0007): parameters and state are there twice, and an update reads one set and writes
 * the other, all in one call.
 */
export class DeviceUpdates implements StepUpdates {
  readonly memory: DeviceStepMemory;
  readonly #optimizer: Optimizer;
  readonly #clip = scalarBuffer();
  readonly #numbers: readonly { readonly unit: UpdateUnit; readonly buffers: Weights }[];
  /** By the place that an update starts from and the gradients that it reads. */
  readonly #calls: readonly (readonly Call[])[];
  #place: Place = 0;
  #torn = false;

  constructor(optimizer: Optimizer, units: readonly UpdateUnit[], gradientSets: 1 | 2, device: Device) {
    this.#optimizer = optimizer;
    this.memory = new DeviceStepMemory(units, gradientSets, device);
    const byRates = new Map(units.map((unit) => [ratesKey(unit), unit]));
    this.#numbers = [...byRates.values()].map((unit) => ({
      unit,
      buffers: Object.fromEntries(optimizer.scalars.map((name) => [name, scalarBuffer()])),
    }));
    const scalars = Object.assign(
      {},
      ...this.#numbers.map(({ unit, buffers }) => prefixed(`optimizer/${ratesKey(unit)}`, buffers)),
    );
    const program = deviceUpdateProgram(optimizer, units, device);
    const state = (place: Place) => ({
      ...prefixed("parameter", this.memory.parameters(place)),
      ...prefixed("slot", this.memory.slots(place)),
    });
    this.#calls = ([0, 1] as const).map((from) =>
      Array.from({ length: gradientSets }, (_, set) =>
        program.bind(
          {
            ...state(from),
            ...prefixed("gradient", this.memory.gradients(set)),
            ...scalars,
            clip: this.#clip,
          },
          prefixed("next", state(from === 0 ? 1 : 0)),
        ),
      ),
    );
  }

  get place(): Place {
    if (this.#torn)
      throw new TrainingError(
        "TORN_UPDATE",
        "An update failed on the device, and what it left there is not known; go on from a checkpoint.",
      );
    return this.#place;
  }

  startFrom(step: number): void {
    this.#place = step % 2 === 0 ? 0 : 1;
    this.#torn = false;
  }

  async run({ step, learningRate, clip, gradients }: UpdateNumbers): Promise<void> {
    const from = this.place;
    write(this.#clip, clip, "clip");
    for (const { unit, buffers } of this.#numbers)
      writeNumbers(this.#optimizer, unit, { step, learningRate }, buffers);
    this.#torn = true;
    await this.#calls[from]?.[gradients]?.run();
    this.#torn = false;
    this.#place = from === 0 ? 1 : 0;
  }
}

class DeviceStepMemory implements StepMemory {
  readonly #parameters: readonly [Weights, Weights];
  readonly #slots: readonly [Weights, Weights];
  readonly #gradients: readonly Weights[];
  /** A call that makes zeros of a set of gradients. */
  readonly #clear: readonly Call[];

  constructor(units: readonly UpdateUnit[], gradientSets: 1 | 2, device: Device) {
    const parameters = units.flatMap((unit) => unit.parameters);
    const allocate = (shape: readonly number[]) => new TensorBuffer({ dtype: "float32", shape, device });
    const like = () => Object.fromEntries(parameters.map(({ name, dims }) => [name, allocate(dims)]));
    const slots = [...new Set(units.flatMap(({ rule }) => rule.slots))];
    const ofSlot = (slot: string) =>
      units
        .filter(({ rule }) => rule.slots.includes(slot))
        .flatMap(({ rule, parameters }) =>
          parameters.map(
            ({ name, dims }) => [`${slot}/${name}`, allocate(slotShape(rule, slot, dims))] as const,
          ),
        );
    const state = () => Object.fromEntries(slots.flatMap(ofSlot));
    this.#parameters = [like(), like()];
    this.#slots = [state(), state()];
    this.#gradients = Array.from({ length: gradientSets }, like);
    // Memory of a device is not zeros when it is new.
    for (const buffer of Object.values(this.#slots[0]))
      buffer.write(new Float32Array(buffer.shape.reduce((product, dim) => product * dim, 1)));
    this.#clear = gradientSets === 1 ? [] : clearingCalls(parameters, this.#gradients, device);
  }

  parameters(place: Place): Weights {
    return this.#parameters[place];
  }

  slots(place: Place): Weights {
    return this.#slots[place];
  }

  gradients(set: number): Weights {
    return this.#gradients[set] as Weights;
  }

  async clearGradients(set: number): Promise<void> {
    await this.#clear[set]?.run();
  }
}

/** One call for each set, which spreads a zero over the whole of it there. */
function clearingCalls(
  parameters: readonly Parameter[],
  sets: readonly Weights[],
  device: Device,
): readonly Call[] {
  const zero = input("zero", "float32", []);
  const outputs = Object.fromEntries(parameters.map(({ name, dims }) => [name, broadcastTo(zero, dims)]));
  const program = new Program({ inputs: [zero], outputs }, {}, { device });
  return sets.map((gradients) => program.bind({ zero: scalarBuffer() }, gradients));
}
