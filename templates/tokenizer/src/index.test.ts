import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { getTokenizer, registerTokenizer, type Tokenizer } from "codex-ml/registry";
import { tokenizerConformance } from "codex-ml/testing";
import { build } from "./index.js";

describe("does what every tokenizer must", () => {
  const module = new URL("./index.js#build", import.meta.url);
  const invalidOptions = [{ vocabSize: 255 }, { vocabSize: 300.5 }, { vocabSize: "many" }];
  for (const check of tokenizerConformance(build, { module, options: { vocabSize: 300 }, invalidOptions }))
    test(check.name, check.run);
});

/** Built as a run builds it: with validated options. */
registerTokenizer("under_test", build);

async function learned(text: string, options: object = {}): Promise<Tokenizer> {
  const tokenizer = await getTokenizer("under_test", options);
  await tokenizer.train?.(
    (async function* () {
      yield text;
    })(),
  );
  return tokenizer;
}

test("the most frequent words come first, and what comes up once is left as bytes", async () => {
  const tokenizer = await learned(" the cat the dog the cat a bird");
  assert.equal(tokenizer.vocabSize, 258);
  assert.deepEqual([...tokenizer.encode(" the cat")], [256, 257]);
  assert.deepEqual([...tokenizer.encode(" dog")], [...Buffer.from(" dog")]);
});

test("there are no more ids than vocabSize", async () => {
  const tokenizer = await learned(" the cat the dog the cat", { vocabSize: 257 });
  assert.equal(tokenizer.vocabSize, 257);
  assert.deepEqual([...tokenizer.encode(" the")], [256]);
});

test("an id that there is not is refused", async () => {
  const tokenizer = await learned("");
  assert.throws(() => tokenizer.decode([256]), /no token with the id 256/);
});
