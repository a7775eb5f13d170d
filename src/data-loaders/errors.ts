/** Data that cannot be trained on: the message names the file or the split, and what to do. */
export class DataError extends Error {
  readonly code: "DATA_INVALID_UTF8" | "DATA_CHANGED" | "DATA_NO_SPLIT" | "DATA_TOO_SHORT" | "DATA_BAD_ID";
  constructor(code: DataError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DataError";
    this.code = code;
  }
}
