/** A graph that cannot be built: the message names the operator and the shapes that do not fit. */
export class TensorError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TensorError";
    this.code = code;
  }
}
