/** Sessions that are profiled. */
let profiled = 0;

const running = new Set<Promise<unknown>>();

/**
 * Does `work`, at once; but while any session is profiled, one run of all sessions after the other. They share one pool of
 * threads, and while a session that is profiled uses it, another on the pool fails ("LogStart must pair with LogEnd").
 */
export async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  // Whoever of those that wait comes first goes on before the others look.
  while (profiled > 0 && running.size > 0) await Promise.allSettled(running);
  const promise = work();
  running.add(promise);
  try {
    return await promise;
  } finally {
    running.delete(promise);
  }
}

/** Whether any session is profiled: then nothing may run beside it. */
export function isAnyProfiled(): boolean {
  return profiled > 0;
}

/** That a session is profiled, until it ends; ending twice is ending once. */
export class Profiling {
  #ended = false;

  constructor() {
    profiled++;
  }

  end(): void {
    if (!this.#ended) profiled--;
    this.#ended = true;
  }
}
