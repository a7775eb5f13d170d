/** Data that cannot be trained on: the message names the file or the split, and what to do. */
export class DataError extends Error {
  readonly code:
    | "DATA_INVALID_UTF8"
    | "DATA_CHANGED"
    | "DATA_NO_SPLIT"
    | "DATA_TOO_SHORT"
    | "DATA_BAD_ID"
    /** A record is malformed, lacks a column, or has a value of the wrong type. */
    | "DATA_BAD_RECORD"
    /** A file as a whole cannot be read: damaged compression, no Parquet file, no CSV header. */
    | "DATA_BAD_FILE"
    /** The cache folder cannot be written or read. */
    | "DATA_CACHE";
  constructor(code: DataError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DataError";
    this.code = code;
  }
}
