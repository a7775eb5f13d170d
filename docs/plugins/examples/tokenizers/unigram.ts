import { getTokenizer } from "codex-ml/registry";

async function* corpus() {
  for (let i = 0; i < 10; i++) yield "low lower lowest, new newer newest, wide wider widest\n";
}

const tokenizer = await getTokenizer("unigram", { vocabSize: 21 }); // a real vocabulary has thousands
await tokenizer.train?.(corpus());

// Of all ways to cut a word into pieces, it takes the most probable one. The corpus has no word "slow".
const ids = tokenizer.encode("lower newest slow");
console.log(Array.from(ids, (id) => tokenizer.decode([id])).join("|"));
console.log(tokenizer.decode(ids));
console.log(tokenizer.vocabSize, tokenizer.specialTokens);
