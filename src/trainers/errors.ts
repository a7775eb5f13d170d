/** Training or evaluation cannot go on: the message says what was found, where, and what to do about it. */
export class TrainingError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TrainingError";
    this.code = code;
  }
}
