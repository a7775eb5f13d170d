/**
 * Where in a model the graph is being built: `gpt.layers.3.attention.query`. Modules set it around their `forward`; every
 * operation and every error remembers it. Graph building is synchronous, so one variable is enough.
 */
let current = "";

/** Path of the part that is being traced now; empty outside of any. */
export function currentScope(): string {
  return current;
}

/**
 * Runs `build` with a scope and restores the one before, also when it throws. The path is whole: it does not continue the
 * scope around it.
 *
 * @example const next = inScope("optimizer", () => sub(parameter, mul(gradient, rate)));
 */
export function inScope<Result>(scope: string, build: () => Result): Result {
  const before = current;
  current = scope;
  try {
    return build();
  } finally {
    current = before;
  }
}
