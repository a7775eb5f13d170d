/** What the promise gives, or undefined as soon as the signal aborts. */
export async function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal,
): Promise<Result | undefined> {
  if (signal.aborted) return undefined;
  const stop = new AbortController();
  const aborted = new Promise<undefined>((resolve) =>
    signal.addEventListener("abort", () => resolve(undefined), { once: true, signal: stop.signal }),
  );
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop.abort();
  }
}
