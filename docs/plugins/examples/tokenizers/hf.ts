import { mkdir, writeFile } from "node:fs/promises";
import { getTokenizer } from "codex-ml/registry";

async function* corpus() {
  for (let i = 0; i < 10; i++) yield "the white whale, the whole whale\n";
}

// A tokenizer.json as Hugging Face's libraries have it. Here it is made first; it may come from anywhere.
const trained = await getTokenizer("bpe", { vocabSize: 256 + 12 + 1 });
await trained.train?.(corpus());
await mkdir("my-tokenizer", { recursive: true });
for (const [file, text] of Object.entries(trained.save?.() ?? {})) {
  await writeFile(`my-tokenizer/${file}`, text);
  console.log(file);
}

const tokenizer = await getTokenizer("hf", { path: "my-tokenizer" });
console.log(tokenizer.vocabSize, tokenizer.specialTokens);
console.log(...tokenizer.encode("the whale"));
console.log(...trained.encode("the whale")); // the same
