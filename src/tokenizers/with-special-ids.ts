import type { SpecialIds } from "./special-tokens.ts";

/** The ids that trainers ask a tokenizer for, of one that learns its special tokens. All are undefined until trained. */
export abstract class WithSpecialIds implements SpecialIds {
  protected abstract get ids(): SpecialIds | undefined;

  get eosTokenId(): number | undefined {
    return this.ids?.eosTokenId;
  }

  get padTokenId(): number | undefined {
    return this.ids?.padTokenId;
  }

  get clsTokenId(): number | undefined {
    return this.ids?.clsTokenId;
  }

  get sepTokenId(): number | undefined {
    return this.ids?.sepTokenId;
  }

  get maskTokenId(): number | undefined {
    return this.ids?.maskTokenId;
  }
}
