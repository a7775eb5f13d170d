import { writeFile } from "node:fs/promises";
import { getDataLoader, getTokenizer } from "codex-ml/registry";

await writeFile("verses.txt", "First verse\n\nSecond verse\nThird verse\n");
await writeFile("held-out.txt", "Fourth verse\n");

// Each line is a document of its own; the empty one is left out.
const data = await getDataLoader("lines", { path: "verses.txt", validation: "held-out.txt", packing: false });
const tokenizer = await getTokenizer("byte");

const request = { tokenizer, sequenceLength: 64, seed: 1, epoch: 0, shuffle: true, start: 0 };
for (const split of data.splits)
  for await (const example of data.examples(split, request))
    if ("inputIds" in example) console.log(split, tokenizer.decode(Array.from(example.inputIds)));
