import { writeFile } from "node:fs/promises";
import { getDataLoader, getTokenizer } from "codex-ml/registry";

await writeFile(
  "reviews.csv",
  `stars,review,fold
5,"Good, and cheap",train
1,Broke at once,train
4,"Says ""hello""",dev
`,
);

// The first line names the columns. One of them says which split a record belongs to.
const data = await getDataLoader("csv", {
  path: "reviews.csv",
  columns: { text: "review", label: "stars" },
  split: { column: "fold", validation: ["dev"] },
});
console.log(await data.labels?.());

const tokenizer = await getTokenizer("byte");
const request = { tokenizer, sequenceLength: 64, seed: 1, epoch: 0, shuffle: false, start: 0 };
for (const split of data.splits)
  for await (const example of data.examples(split, request)) console.log(split, example);
