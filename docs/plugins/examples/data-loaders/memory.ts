import { getDataLoader, getTokenizer } from "codex-ml/registry";

const data = await getDataLoader("memory", {
  examples: [
    { text: "You won a prize", kind: "spam" },
    { text: "Lunch at noon?", kind: "ham" },
  ],
  validation: [{ text: "Claim your prize", kind: "spam" }],
  columns: { label: "kind" },
});
console.log(await data.labels?.());

const tokenizer = await getTokenizer("byte");
const request = { tokenizer, sequenceLength: 64, seed: 1, epoch: 0, shuffle: false, start: 0 };
for (const split of data.splits)
  for await (const example of data.examples(split, request)) console.log(split, example);
