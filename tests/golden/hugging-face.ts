import { readFile } from "node:fs/promises";
import type { Model } from "../../src/models/index.ts";
import type { Definition } from "../../src/registry/index.ts";
import { Draws } from "./draws.ts";

/** One batch through a model of `hugging_face.py`. */
export interface GoldenCase {
  readonly name: string;
  readonly attentionMask: number[][] | null;
  readonly positionIds: number[][] | null;
  readonly tokenTypeIds: number[][] | null;
  readonly logits: string;
  readonly loss: number;
  readonly gradients: readonly { readonly l2: number; readonly product: number; readonly first: number[] }[];
}

export interface GoldenModel {
  readonly model: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: readonly { readonly name: string; readonly shape: number[] }[];
  readonly cases: readonly GoldenCase[];
}

export async function goldenModels(name: string): Promise<readonly GoldenModel[]> {
  return JSON.parse(await readFile(new URL(`${name}.json`, import.meta.url), "utf8")).models;
}

/** A model built from options as a run builds it. */
export async function buildModel<Input, Output>(
  definition: Definition<Model, Input, Output>,
  options: unknown,
): Promise<Model> {
  const validated = await definition.options?.["~standard"].validate(options);
  if (!validated || validated.issues) throw new Error(`options: ${JSON.stringify(validated?.issues)}`);
  return definition.create(validated.value as Output, { directory: "." });
}

/** The weights of `hugging_face.py`, by name. */
export function goldenWeights(model: Model): Record<string, Float32Array> {
  return Object.fromEntries(
    model.parameters().map((parameter, index) => {
      const draws = new Draws(1 + index);
      const offset = parameter.rank === 1 && parameter.name.endsWith(".weight") ? 1 : 0;
      const length = parameter.dims.reduce((product, dim) => product * dim, 1);
      return [parameter.name, Float32Array.from({ length }, () => offset + 0.4 * draws.uniform())];
    }),
  );
}

/** (2, 7) ids below 19. */
export function goldenIds(): number[] {
  const draws = new Draws(500);
  return Array.from({ length: 14 }, () => (draws.next() >>> 8) % 19);
}

/** Numbers 2u of a seed. */
export function drawn(seed: number, length: number): Float32Array {
  const draws = new Draws(seed);
  return Float32Array.from({ length }, () => 2 * draws.uniform());
}
