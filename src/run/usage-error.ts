/** Asked wrongly: something that does not exist or does not fit together, found before any work began. */
export class UsageError extends Error {
  readonly code = "USAGE";
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}
