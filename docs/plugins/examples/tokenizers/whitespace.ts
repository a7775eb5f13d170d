import { getTokenizer } from "codex-ml/registry";

async function* corpus() {
  yield "the cat and the dog\n";
  yield "the cat and the bird\n";
}

const tokenizer = await getTokenizer("whitespace", { minFrequency: 2 });
await tokenizer.train?.(corpus());

const ids = tokenizer.encode("the cat and  the dog");
console.log(...ids);
for (const id of new Set(ids)) console.log(id, tokenizer.decode([id])); // the most frequent words first; dog came once
console.log(tokenizer.decode(ids));
