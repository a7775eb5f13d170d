export type { BatchGenerationOptions, GenerationOptions, SamplingOptions } from "./options.ts";
export { type FinishReason, type GeneratedPiece, TextGenerator } from "./text-generator.ts";
