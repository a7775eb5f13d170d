import { beforeAll, describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { corpus, stream, trainedBpe as trained } from "./hostile-text.ts";

describe("bpe says what is wrong", () => {
  let tokenizer: Tokenizer;
  let files: Readonly<Record<string, string>>;
  beforeAll(async () => {
    tokenizer = await trained({ vocabSize: 512 }, corpus);
    files = tokenizer.save?.() ?? {};
  });

  test("before it was trained", async () => {
    const untrained = await getTokenizer("bpe");
    const error = expect.objectContaining({
      code: "TOKENIZER_NOT_TRAINED",
      message: expect.stringContaining("has not been trained"),
    });
    expect(() => untrained.encode("a")).toThrow(error);
    expect(() => untrained.decode([1])).toThrow(error);
    expect(() => untrained.save?.()).toThrow(error);
  });

  test("when it is trained twice, or on nothing", async () => {
    await expect(tokenizer.train?.(stream("a"))).rejects.toMatchObject({
      code: "TOKENIZER_ALREADY_TRAINED",
    });
    await expect(trained({}, "", "")).rejects.toMatchObject({ code: "TOKENIZER_EMPTY_CORPUS" });
  });

  test.each([393, -1, 0.5, Number.NaN])("when asked for the id %d", (id) => {
    expect(() => tokenizer.decode([id])).toThrow(
      `no id ${id}: its ids are the integers from 0 to ${tokenizer.vocabSize - 1}`,
    );
    expect(() => tokenizer.byteLength?.(id)).toThrow("no id");
  });

  test.each([
    [{ vocabSize: 255 }, /vocabSize/],
    [{ vocabSize: 256 }, /vocabSize.*257/s],
    [{ minFrequency: 0 }, /minFrequency/],
    [{ specialTokens: ["<a>", "<a>"] }, /specialTokens.*twice/s],
    [{ specialTokens: ["a"] }, /specialTokens.*byte/s],
    [{ specialTokens: [""] }, /specialTokens/],
    [{ vocabsize: 300 }, /vocabsize/],
  ])("in the options %j", async (options, message) => {
    await expect(getTokenizer<string>("bpe", options)).rejects.toThrow(message);
  });

  interface Json {
    normalizer: unknown;
    readonly pre_tokenizer: Record<string, unknown>;
    readonly model: { type: string; readonly vocab: Record<string, number>; readonly merges: string[] };
  }
  test.each<[string, (json: Json) => void, RegExp]>([
    [
      "a normaliser",
      (json) => {
        json.normalizer = { type: "Nmt" };
      },
      /normalizer/,
    ],
    [
      "another model",
      (json) => {
        json.model.type = "Unigram";
      },
      /model\.type/,
    ],
    [
      "a prefix space",
      (json) => {
        json.pre_tokenizer.add_prefix_space = true;
      },
      /add_prefix/,
    ],
    [
      "a gap in the ids",
      (json) => {
        delete json.model.vocab.a;
      },
      /ids 0 to/,
    ],
    [
      "a merge of nothing",
      (json) => {
        json.model.merges.push("ĠĠ zzz");
      },
      /merge \d+/,
    ],
  ])("in a file with %s", async (_, damage, message) => {
    const json = JSON.parse(files["tokenizer.json"] ?? "") as Json;
    damage(json);
    const restored = await getTokenizer("bpe");
    expect(() => restored.load?.({ "tokenizer.json": JSON.stringify(json) })).toThrow(message);
  });

  test("when a file is absent or no JSON", async () => {
    const restored = await getTokenizer("bpe");
    expect(() => restored.load?.({ "vocab.txt": "" })).toThrow(
      /tokenizer\.json, which is not among.*vocab\.txt/,
    );
    expect(() => restored.load?.({ "tokenizer.json": "{" })).toThrow(/not JSON/);
  });
});
