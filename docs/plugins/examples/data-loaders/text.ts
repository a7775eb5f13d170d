import { writeFile } from "node:fs/promises";
import { getDataLoader, getTokenizer } from "codex-ml/registry";

await writeFile("book.txt", "Call me Ishmael. Some years ago, never mind how long precisely, I went to sea.");

// The last fifth of the text is held out; a list of files, a folder or a glob is one long text, too.
const data = await getDataLoader("text", { path: "book.txt", validation: 0.2 });
const tokenizer = await getTokenizer("byte");

// One epoch in windows of 12 tokens and the one that follows, in the order that seed and epoch give.
const request = { tokenizer, sequenceLength: 12, seed: 1, epoch: 0, shuffle: true, start: 0 };
for (const split of data.splits)
  for await (const example of data.examples(split, request))
    if ("inputIds" in example)
      console.log(split, JSON.stringify(tokenizer.decode(Array.from(example.inputIds))));
