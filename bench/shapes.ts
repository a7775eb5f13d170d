/** A GPT and the batch that it is trained on. */
export interface GptShape {
  readonly name: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Tokens of a sequence, T. */
  readonly length: number;
  /** Sequences of a step, B. */
  readonly batch: number;
  readonly vocabulary: number;
  /** Whether layers are computed again in the backward pass. Default false. */
  readonly gradientCheckpointing?: boolean;
}

/** What `npm start` trains, and the sizes that the engine is measured at. */
export const shapes: Readonly<Record<string, GptShape>> = {
  default: { name: "default run", layers: 4, width: 128, heads: 4, length: 128, batch: 16, vocabulary: 2048 },
  small: { name: "4 × 128", layers: 4, width: 128, heads: 4, length: 128, batch: 16, vocabulary: 512 },
  medium: { name: "6 × 384", layers: 6, width: 384, heads: 6, length: 256, batch: 8, vocabulary: 4096 },
  large: { name: "12 × 768", layers: 12, width: 768, heads: 12, length: 256, batch: 2, vocabulary: 50257 },
};
