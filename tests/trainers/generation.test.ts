import { describe, expect, test } from "vitest";
import { Random } from "../../src/tensor/index.ts";
import { TextGenerator } from "../../src/trainers/generation.ts";
import { sampleToken } from "../../src/trainers/sampling.ts";
import { allocateWeights, initialize } from "../../src/trainers/weights.ts";
import { collect, numberTokenizer, smallGpt } from "./fixtures.ts";

async function write(
  options: { seed?: number; temperature?: number; maxNewTokens?: number } = {},
  prompt = "1 2 3",
  tokenizer = numberTokenizer,
) {
  const model = await smallGpt({ initializerRange: 0.5 });
  const weights = allocateWeights(model);
  initialize(model, weights, 1);
  const pieces = new TextGenerator(model, tokenizer).generate(prompt, weights, {
    seed: 1,
    maxNewTokens: 20,
    ...options,
  });
  return (await collect(pieces)).join("");
}

test("equal seeds write equal text, longer than the model's positions; other seeds do not", async () => {
  const text = await write();
  expect(text.split(" ").length).toBe(20);
  expect(await write()).toBe(text);
  expect(await write({ seed: 2 })).not.toBe(text);
});

test("temperature 0 takes the most likely token whatever the seed", async () => {
  expect(await write({ temperature: 0, seed: 1 })).toBe(await write({ temperature: 0, seed: 2 }));
});

test("the end-of-text token ends the text and is not shown", async () => {
  const all = (await write({ temperature: 0 })).split(" ").map(Number);
  const eosTokenId = all.at(-1) as number;
  const text = await write({ temperature: 0 }, "1 2 3", { ...numberTokenizer, eosTokenId });
  expect(text.split(" ").filter(Boolean).map(Number)).toEqual(all.slice(0, all.indexOf(eosTokenId)));
});

test("characters that are spread over tokens come out whole, piece by piece", async () => {
  // Every two tokens are one emoji of four bytes; half of one decodes to a replacement character.
  const halves = [Uint8Array.of(0xf0, 0x9f), Uint8Array.of(0x98, 0x80)];
  let written = 0;
  const bytes = {
    ...numberTokenizer,
    encode: () => Int32Array.of(1),
    decode: (ids: Iterable<number>) => {
      written = [...ids].length;
      return new TextDecoder().decode(
        Buffer.concat(Array.from({ length: written }, (_, at) => halves[at % 2] as Uint8Array)),
      );
    },
  };
  const model = await smallGpt();
  const weights = allocateWeights(model);
  initialize(model, weights, 1);
  const options = { seed: 1, maxNewTokens: 6 };
  const pieces = await collect(new TextGenerator(model, bytes).generate("x", weights, options));
  expect(pieces).toEqual(["\u{1f600}", "\u{1f600}", "\u{1f600}"]);
});

test("text is written from all that the model can see, not only the last tokens", async () => {
  const far = await write({ temperature: 0, maxNewTokens: 1 }, "5 2 3 4 6 7 8 9");
  const others = await Promise.all(
    [0, 1, 2, 3, 4].map((id) => write({ temperature: 0, maxNewTokens: 1 }, `${id} 2 3 4 6 7 8 9`)),
  );
  expect(others.some((text) => text !== far)).toBe(true);
});

test("a model that knows more ids than the tokenizer writes only those that have a text", async () => {
  const few = { ...numberTokenizer, vocabSize: 3 };
  const text = await write({ maxNewTokens: 40, temperature: 2 }, "1 2", few);
  expect(text.split(" ").every((id) => Number(id) < 3)).toBe(true);
});

test("an empty prompt starts from the end-of-text token, and without one is an error", async () => {
  expect(await write({}, "", { ...numberTokenizer, eosTokenId: 0 })).not.toBe("");
  await expect(write({}, "")).rejects.toThrow(/prompt has no token/);
});

test("a prompt with ids that the model does not know is an error", async () => {
  await expect(write({}, "1 -1")).rejects.toThrow(/prompt has the token id -1/);
  await expect(write({}, "1 99")).rejects.toThrow(/prompt has the token id 99/);
});

describe("sampling", () => {
  const logits = Float32Array.from([0, 2, 1, -1]);
  const draws = (options: Parameters<typeof sampleToken>[1]) => {
    const random = new Random(1);
    const counts = [0, 0, 0, 0];
    for (let at = 0; at < 4000; at++) {
      const id = sampleToken(logits, options, random);
      counts[id] = (counts[id] ?? 0) + 1;
    }
    return counts.map((count) => count / 4000);
  };
  const softmax = (temperature: number) => {
    const weights = [...logits].map((value) => Math.exp(value / temperature));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((value) => value / sum);
  };

  test.each([1, 0.5, 2])("at temperature %s draws follow the softmax", (temperature) => {
    for (const [id, share] of softmax(temperature).entries())
      expect(Math.abs((draws({ temperature })[id] ?? 0) - share)).toBeLessThan(0.03);
  });
  test("top-k keeps the k most likely", () =>
    expect(draws({ topK: 2 }).map((share) => share > 0)).toEqual([false, true, true, false]));
  test("top-p keeps the most likely that reach p, the one that crosses it included", () => {
    // 0.644 for id 1, 0.881 with id 2.
    expect(draws({ topP: 0.6 }).map((share) => share > 0)).toEqual([false, true, false, false]);
    expect(draws({ topP: 0.7 }).map((share) => share > 0)).toEqual([false, true, true, false]);
    expect(draws({ topP: 0 }).map((share) => share > 0)).toEqual([false, true, false, false]);
  });
  test("logits that are not finite are an error", () => {
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => sampleToken(Float32Array.from([0, broken, 1]), {}, new Random(1))).toThrow(/not finite/);
  });
  test("ties go to the smaller id", () =>
    expect(sampleToken(Float32Array.from([1, 1]), { temperature: 0 }, new Random(1))).toBe(0));
});
