/** Asked wrongly: something that does not exist or does not fit together, found before any work began. */
export class UsageError extends Error {
  readonly code = "USAGE";
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
