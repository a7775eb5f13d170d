/** Logits and gradients are those of Hugging Face's transformers on the same weights (`tests/golden/hugging_face.py`). */
import { describe, expect, test } from "vitest";
import { bert } from "../../src/models/bert.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import { llama } from "../../src/models/llama.ts";
import { evaluationContext } from "../../src/nn/index.ts";
import { constant, grad, input, mul, reduceSum, type Tensor } from "../../src/tensor/index.ts";
import { floats } from "../golden/draws.ts";
import {
  buildModel,
  drawn,
  type GoldenCase,
  goldenIds,
  goldenModels,
  goldenWeights,
} from "../golden/hugging-face.ts";
import { evaluate } from "../tensor/evaluate.ts";

const [B, T] = [2, 7];
/** Of the largest number compared with. */
const TOLERANCE = 1e-4;

const largest = (values: Iterable<number>) =>
  [...values].reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The inputs that a case gives, as tensors and as numbers. */
function inputsOf({ attentionMask, positionIds, tokenTypeIds }: GoldenCase) {
  const given = { attentionMask, positionIds, tokenTypeIds };
  const entries = Object.entries(given).filter((entry): entry is [string, number[][]] => entry[1] !== null);
  return {
    tensors: Object.fromEntries(entries.map(([name]) => [name, input(name, "int32", [B, T])])),
    values: Object.fromEntries(entries.map(([name, rows]) => [name, rows.flat()])),
  };
}

for (const [file, definition] of [
  ["llama", llama],
  ["bert", bert],
  ["gpt2-masks", gpt2],
] as const)
  for (const golden of await goldenModels(file))
    describe(`${file}: ${golden.model}`, async () => {
      const model = await buildModel<never, never>(definition as never, golden.options);

      test("parameters have the names and shapes of transformers, in its order", () => {
        expect(model.parameters().map(({ name, dims: shape }) => ({ name, shape }))).toEqual(
          golden.parameters,
        );
      });

      test("config says what transformers says", () => {
        const { architectures: _, rope_theta, ...ours } = model.config;
        const dropped = file === "gpt2-masks" ? ["resid_pdrop", "embd_pdrop", "attn_pdrop"] : [];
        for (const [key, value] of Object.entries(ours))
          if (!dropped.includes(key) && !(key === "n_inner" && value === null))
            expect({ [key]: value }).toEqual({ [key]: golden.config[key] });
        // Version 5 of transformers keeps it elsewhere, and reads both.
        if (rope_theta !== undefined)
          expect(golden.config.rope_parameters).toEqual({ rope_type: "default", rope_theta });
      });

      for (const given of golden.cases)
        test(`logits and gradients: ${given.name}`, async () => {
          const inputIds = input("inputIds", "int32", [B, T]);
          const { tensors, values } = inputsOf(given);
          const { logits } = model.forward({ inputIds, ...tensors }, evaluationContext());
          const expected = floats(given.logits);
          // What transformers gives where there is padding does not count.
          const width = Number(logits.dim(-1));
          const counts = (at: number) =>
            logits.rank === 2 || given.attentionMask?.flat()[Math.floor(at / width)] !== 0;
          const weights = drawn(600, expected.length).map((value, at) => (counts(at) ? value : 0));
          const loss = reduceSum(mul(logits, constant(weights, "float32", logits.shape)));
          const gradients = grad(loss, model.parameters());
          const outputs = Object.fromEntries(gradients.map((gradient, at) => [`d${at}`, gradient as Tensor]));
          const results = await evaluate(
            { logits, ...outputs },
            { inputIds: goldenIds(), ...values, ...goldenWeights(model) },
          );

          const bound = TOLERANCE * largest(expected);
          for (const [at, value] of expected.entries())
            if (counts(at))
              expect(Math.abs((results.logits?.[at] ?? Number.NaN) - value), `logit ${at}`).toBeLessThan(
                bound,
              );
          // A key's bias moves every score of a query alike: its gradient is 0, and what is computed is rounding.
          const usual = largest(given.gradients.map(({ l2 }) => l2));
          for (const [index, { l2, product, first }] of given.gradients.entries()) {
            const actual = results[`d${index}`] ?? [];
            const name = model.parameters()[index]?.name;
            const scale = TOLERANCE * (l2 > 1e-9 * usual ? l2 : usual);
            expect(Math.abs(Math.hypot(...actual) - l2), `${name}: l2`).toBeLessThan(scale);
            const along = drawn(700 + index, actual.length).reduce(
              (sum, of, at) => sum + of * (actual[at] ?? 0),
              0,
            );
            expect(Math.abs(along - product), `${name}: product`).toBeLessThan(scale * 2);
            for (const [at, value] of first.entries())
              expect(Math.abs((actual[at] ?? Number.NaN) - value), `${name}[${at}]`).toBeLessThan(scale);
          }
        });
    });
