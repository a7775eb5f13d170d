/** What ONNX Runtime refused, with its own message, or a call that would not have been safe to make. */
export class RuntimeError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RuntimeError";
    this.code = code;
  }
}
