import { getTokenizer } from "codex-ml/registry";

async function* corpus() {
  for (let i = 0; i < 10; i++) yield "the white whale, the whole whale\n";
}

// 256 bytes, 12 pairs that are merged, and <|endoftext|>. A real vocabulary has thousands.
const tokenizer = await getTokenizer("bpe", { vocabSize: 256 + 12 + 1 });
await tokenizer.train?.(corpus());

// What is frequent in the corpus is one token; other words are cut into frequent pieces, or at last into bytes.
for (const text of ["the whale", "the while"]) {
  const ids = tokenizer.encode(text);
  console.log(Array.from(ids, (id) => tokenizer.decode([id])).join("|"), "=", ...ids);
}
console.log(tokenizer.decode(tokenizer.encode("Any text comes back: é, 鯨, 🐋.")));
