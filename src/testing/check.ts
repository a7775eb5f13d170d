import { describeError } from "../packages/index.ts";

/** One thing that every component of a kind must do, for any test runner. */
export interface ConformanceCheck {
  /** What must hold, as a sentence. */
  readonly name: string;
  /**
   * Settles when it holds. Takes no argument and needs no `this`: pass it to `test` as it is.
   *
   * @throws ConformanceError that says what is wrong, what was expected and what came.
   */
  readonly run: () => Promise<void>;
}

/** A component does not do what its contract says. What the component itself threw, if it did, is the `cause`. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
  readonly code = "CONFORMANCE_FAILED";
}

export function broken(message: string): never {
  throw new ConformanceError(message);
}

/** A check; what a component throws while it runs is reported as the component's. */
export function check(name: string, body: () => void | Promise<void>): ConformanceCheck {
  return {
    name,
    run: async () => {
      try {
        await body();
      } catch (cause) {
        if (cause instanceof ConformanceError) throw cause;
        throw new ConformanceError(`The component threw: ${describeError(cause)}`, { cause });
      }
    },
  };
}

/** Calls the component; `what` names the call in the message when it throws. */
export function calling<Result>(what: string, call: () => Result): Result {
  try {
    return call();
  } catch (cause) {
    throw new ConformanceError(`${what} threw ${describeError(cause)}; expected a result.`, { cause });
  }
}

/** The result of the first call, for all. A failed one is tried again. */
export function once<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let made: Promise<Result> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
