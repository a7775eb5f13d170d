import { type Tracker, TrackingError } from "../tracking/index.ts";
import type { RunEvent } from "../trainers/index.ts";
import { type Callback, callbackError, type EventListener, type EventType } from "./callbacks.ts";
import type { Run } from "./run.ts";

/** All who are told of a run's events: the files of its directory first, then trackers and callbacks of the program. */
export class Listeners {
  readonly #run: Run;
  readonly #callbacks: Callback[];
  readonly #programs: readonly Tracker[];
  readonly #files: Tracker[] = [];
  readonly #onFailure: () => void;
  #failure: Error | undefined;
  #calling: string | undefined;

  /** @param onFailure Called once, when the program's own code throws: the run is to end, and to be saved. */
  constructor(
    run: Run,
    given: { readonly callbacks?: readonly Callback[]; readonly trackers?: readonly Tracker[] },
    onFailure: () => void,
  ) {
    this.#run = run;
    this.#callbacks = [...(given.callbacks ?? [])];
    this.#programs = given.trackers ?? [];
    this.#onFailure = onFailure;
  }

  /** What the program's own code threw first. Nothing of it is called after that. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whose callback is being called. */
  get calling(): string | undefined {
    return this.#calling;
  }

  addFile(tracker: Tracker): void {
    this.#files.push(tracker);
  }

  addListener<Type extends EventType>(type: Type, listener: EventListener<Type>): void {
    this.#callbacks.push({ name: listener.name || `run.on("${type}")`, [type]: listener });
  }

  /**
   * Tells all of them, one after the other, and waits for callbacks.
   *
   * @throws {TrackingError} when a file cannot be written. What the program's own code throws is kept as the `failure`.
   */
  async tell(event: RunEvent): Promise<RunEvent> {
    for (const file of this.#files) file.event(event);
    for (const [index, tracker] of this.#programs.entries())
      try {
        tracker.event(event);
      } catch (error) {
        if (error instanceof TrackingError) throw error;
        this.#fail(callbackError(`trackers[${index}]`, event, error));
      }
    await this.#callBack(event);
    return event;
  }

  /** Tells of the error that ends a run. One of the listeners may be what failed. */
  async tellError(event: RunEvent): Promise<void> {
    for (const tracker of [...this.#files, ...this.#programs])
      try {
        tracker.event(event);
      } catch {
        // Another error is being told.
      }
    await this.#callBack(event);
  }

  async close(): Promise<void> {
    for (const tracker of [...this.#files, ...this.#programs]) await tracker.close();
  }

  async #callBack(event: RunEvent): Promise<void> {
    for (const [index, callback] of this.#callbacks.entries()) {
      if (this.#failure !== undefined) return;
      const listener = callback[event.type] as EventListener<EventType> | undefined;
      if (listener === undefined) continue;
      const name = callback.name ?? `callbacks[${index}]`;
      this.#calling = name;
      try {
        await listener.call(callback, event, this.#run);
      } catch (cause) {
        this.#fail(callbackError(`the callback ${JSON.stringify(name)}`, event, cause));
      } finally {
        this.#calling = undefined;
      }
    }
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#onFailure();
  }
}
