import { createRequire } from "node:module";
import { TensorBuffer } from "../src/runtime/index.ts";
import { OrtSession } from "../src/runtime/ort/session.ts";
import { EncodedNames } from "../src/runtime/program.ts";
import type { GptShape } from "./shapes.ts";

/** The part of the experiment's `gpt.js` that is used here. */
interface Experiment {
  build(
    config: Record<string, number>,
    options: Record<string, unknown>,
  ): { g: { encode(): Uint8Array }; specs: [string, number[], unknown][] };
  initParams(specs: unknown, seed: number): Record<string, Float32Array>;
}

/**
 * The training step of the experiment (`gpt.js`: forward, backward, AdamW; no clipping), with its fastest settings, run by
 * this project's runtime: two graphs are compared, not two ways of calling the library.
 *
 * @param folder where the experiment lies.
 */
export function prototypeStep(folder: string, shape: GptShape): () => Promise<number> {
  const { build, initParams } = createRequire(import.meta.url)(`${folder}/gpt.js`) as Experiment;
  const { layers: L, width: C, heads: H, length: T, batch: B, vocabulary: V } = shape;
  const { g, specs } = build(
    { L, C, H, T, B, V },
    { sumGemm: 1, lnMatvec: 1, gelu: "fast", emb: "scatterel" },
  );
  const session = new OrtSession(g.encode());
  const values = initParams(specs, 7);
  const float = (dims: readonly number[], data?: Float32Array) =>
    new TensorBuffer({ dtype: "float32", shape: dims, ...(data && { data }) });
  const sets = [0, 1].map((set) =>
    specs.flatMap(([name, dims]) =>
      ["", "m_", "v_"].map(
        (slot) => [slot, name, float(dims, set === 0 && slot === "" ? values[name] : undefined)] as const,
      ),
    ),
  );
  const rows = B * T;
  const ids = BigInt64Array.from({ length: rows }, (_, at) => BigInt((at * 7919) % V));
  const fed = {
    ids: new TensorBuffer({ dtype: "int64", shape: [rows], data: ids }),
    tgt: new TensorBuffer({ dtype: "int64", shape: [rows, 1], data: ids.map((id) => (id + 1n) % BigInt(V)) }),
    a: float([]),
    ep: float([]),
    dec: float([]),
  };
  const loss = float([]);
  const inputNames = new EncodedNames([
    ...Object.keys(fed),
    ...(sets[0] ?? []).map(([slot, name]) => slot + name),
  ]);
  const outputNames = new EncodedNames([
    "loss",
    ...(sets[0] ?? []).map(([slot, name]) => `${slot[0] ?? "p"}o_${name}`),
  ]);
  const calls = sets.map((from, set) => ({
    inputs: BigUint64Array.from(
      [...Object.values(fed), ...from.map(([, , buffer]) => buffer)],
      (buffer) => buffer.pointer,
    ),
    outputs: BigUint64Array.from(
      [loss, ...(sets[1 - set] ?? []).map(([, , buffer]) => buffer)],
      (buffer) => buffer.pointer,
    ),
  }));
  let step = 0;
  return async () => {
    step++;
    const k = Math.sqrt(1 - 0.95 ** step) / Math.sqrt(0.05);
    fed.a.data[0] = ((1e-3 * 0.1) / (1 - 0.9 ** step)) * k;
    fed.ep.data[0] = 1e-8 * k;
    fed.dec.data[0] = 1 - 1e-4;
    const call = calls[(step - 1) % 2];
    if (call) await session.run(inputNames, call.inputs, outputNames, call.outputs);
    return loss.data[0] ?? Number.NaN;
  };
}
