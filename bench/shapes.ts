/** A GPT and the batch that it is trained on. */
export interface GptShape {
  readonly name: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly length: number;
  readonly batch: number;
  readonly vocabulary: number;
}

/** What `npm start` trains, and the sizes that the engine is measured at. */
export const shapes: Readonly<Record<string, GptShape>> = {
  default: { name: "default run", layers: 4, width: 128, heads: 4, length: 128, batch: 16, vocabulary: 2048 },
  small: { name: "4 × 128", layers: 4, width: 128, heads: 4, length: 128, batch: 16, vocabulary: 512 },
  medium: { name: "6 × 384", layers: 6, width: 384, heads: 6, length: 256, batch: 8, vocabulary: 4096 },
};
