/** A tokenizer that was asked for what it cannot do, or given files that it cannot read. */
export class TokenizerError extends Error {
  readonly code:
    | "TOKENIZER_NOT_TRAINED"
    | "TOKENIZER_ALREADY_TRAINED"
    | "TOKENIZER_EMPTY_CORPUS"
    | "TOKENIZER_VOCABULARY_TOO_SMALL"
    | "TOKENIZER_UNKNOWN_ID"
    | "TOKENIZER_BAD_FILE";
  constructor(code: TokenizerError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TokenizerError";
    this.code = code;
  }
}

/** The error of a tokenizer whose vocabulary comes from a corpus and that has seen none. */
export function notTrained(tokenizer: string, operation: string): TokenizerError {
  return new TokenizerError(
    "TOKENIZER_NOT_TRAINED",
    `the ${tokenizer} tokenizer cannot ${operation}: it has not been trained. ` +
      "Call `train(texts)` or `load(files)` first; a training run does.",
  );
}

/** The error of training for a second time: a model would go on with ids that no longer mean the same. */
export function alreadyTrained(tokenizer: string): TokenizerError {
  return new TokenizerError(
    "TOKENIZER_ALREADY_TRAINED",
    `the ${tokenizer} tokenizer has a vocabulary already, and training again would change the meaning of its ids. ` +
      "Build another one.",
  );
}

/** The error of a corpus without a character. */
export function emptyCorpus(tokenizer: string): TokenizerError {
  return new TokenizerError(
    "TOKENIZER_EMPTY_CORPUS",
    `the ${tokenizer} tokenizer was given no text to learn from: the training split is empty.`,
  );
}

/** The error of an id outside the vocabulary. */
export function unknownId(tokenizer: string, id: number, vocabSize: number): TokenizerError {
  return new TokenizerError(
    "TOKENIZER_UNKNOWN_ID",
    `the ${tokenizer} tokenizer has no id ${id}: its ids are the integers from 0 to ${vocabSize - 1}. ` +
      "Were the ids made by another tokenizer?",
  );
}
