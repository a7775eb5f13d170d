import type { CheckpointEvent } from "./events.ts";
import type { TrainingContext } from "./index.ts";
import type { LoopState } from "./loop-state.ts";
import type { CommonOptions } from "./options.ts";
import type { TrainingStep } from "./training-step.ts";

type SaveOptions = Pick<CommonOptions, "saveSteps" | "saveMinutes" | "saveTotalLimit">;

/**
 * The checkpoints of a run: when they are due, and one at a time written beside the training.
 *
 * `plan` decides what the checkpoint of a step says; `begin` copies the tensors and lets the copy be written. In between the
 * next update may be begun, which reads the weights and writes elsewhere: then even the copying costs no time.
 */
export class Saves {
  readonly #save: TrainingContext["saveCheckpoint"];
  readonly #options: SaveOptions;
  readonly #step: TrainingStep;
  /** By a clock that nobody sets back. */
  #savedAt = performance.now();
  #saved: number;
  /** What `#saved` was before the checkpoint that is planned or being written. */
  #savedBefore: number;
  #planned: LoopState | undefined;
  #writing: Promise<void> | undefined;
  #done: CheckpointEvent | undefined;
  #failed: { readonly error: unknown } | undefined;
  #seconds = 0;

  /** @param saved The step of which there is a checkpoint already; 0: none. */
  constructor(context: TrainingContext, options: SaveOptions, step: TrainingStep, saved: number) {
    this.#save = context.saveCheckpoint;
    this.#options = options;
    this.#step = step;
    this.#saved = saved;
    this.#savedBefore = saved;
  }

  /** Whether a checkpoint of this step is due by number or by time. */
  get isDue(): boolean {
    const { saveSteps, saveMinutes } = this.#options;
    if (saveSteps !== undefined && this.#step.step % saveSteps === 0) return true;
    return saveMinutes > 0 && performance.now() - this.#savedAt >= saveMinutes * 60_000;
  }

  /** Whether this step is neither saved nor about to be. */
  get isUnsaved(): boolean {
    return this.#step.step > this.#saved;
  }

  /** Decides that there is to be a checkpoint of this step. Waits for the one before, whose copy has the same memory. */
  async *plan(state: LoopState): AsyncGenerator<CheckpointEvent> {
    const started = performance.now();
    await this.#writing;
    this.#seconds += (performance.now() - started) / 1000;
    yield* this.news();
    this.#planned = state;
    this.#savedBefore = this.#saved;
    this.#saved = this.#step.step;
    this.#savedAt = performance.now();
  }

  /** Copies what was planned and begins to write it. To be called before more than the next update is begun. */
  begin(): void {
    const state = this.#planned;
    if (state === undefined) return;
    this.#planned = undefined;
    const { step } = this.#step;
    const started = performance.now();
    const checkpoint = { step, ...this.#step.snapshot(), state };
    this.#seconds += (performance.now() - started) / 1000;
    this.#writing = this.#save(checkpoint, this.#options.saveTotalLimit).then(
      (path) => {
        this.#done = { type: "checkpoint", step, path };
      },
      (error: unknown) => {
        this.#failed = { error };
      },
    );
  }

  /** Tells of the checkpoint that came to be whole since the last call. Throws what kept one from it. */
  *news(): Generator<CheckpointEvent> {
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed !== undefined) {
      this.#saved = this.#savedBefore;
      throw failed.error;
    }
    const done = this.#done;
    this.#done = undefined;
    if (done !== undefined) yield done;
  }

  /** Seconds of copying, and of waiting for the checkpoint before, since the last call. */
  takeSeconds(): number {
    const seconds = this.#seconds;
    this.#seconds = 0;
    return seconds;
  }

  /** Waits until all that was planned is on disk, and tells of it. */
  async *finish(): AsyncGenerator<CheckpointEvent> {
    this.begin();
    await this.#writing;
    yield* this.news();
  }
}
