import type { RunEvent } from "../trainers/index.ts";
import type { Run } from "./run.ts";

export type EventType = RunEvent["type"];

/** Events of one type: `EventOf<"evaluation">` has `loss` and `metrics`. */
export type EventOf<Type extends EventType> = Extract<RunEvent, { readonly type: Type }>;

/** Called with an event and its run, and waited for: the run goes on when it is done. */
export type EventListener<Type extends EventType> = (event: EventOf<Type>, run: Run) => unknown;

/**
 * What a program does with a run as it goes: a function for each type of event that it wants, and a name for messages. It may
 * end the run with `run.stop("why")`. What it throws ends the run with an error, once that is saved.
 *
 * @example
 * const printer: Callback = {
 *   name: "printer",
 *   evaluation: (event, run) => {
 *     console.log(event.step, event.metrics);
 *     if (event.loss < 2) run.stop("good enough");
 *   },
 * };
 * const run = await train("run.yaml", { callbacks: [printer] });
 */
export type Callback = { readonly name?: string } & {
  readonly [Type in EventType]?: EventListener<Type>;
};

/** A callback or a tracker that threw. `cause` is what it threw. */
export class CallbackError extends Error {
  readonly code = "CALLBACK_FAILED";
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CallbackError";
  }
}

/** What to say of one that threw. */
export function callbackError(who: string, event: RunEvent, cause: unknown): CallbackError {
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const of = "step" in event ? ` of step ${event.step}` : "";
  return new CallbackError(`${who} failed at the event "${event.type}"${of}: ${why}`, { cause });
}
