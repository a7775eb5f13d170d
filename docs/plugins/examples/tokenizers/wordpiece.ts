import { getTokenizer } from "codex-ml/registry";

async function* corpus() {
  for (let i = 0; i < 10; i++) yield "She played and they play. He plays, she is playing.\n";
}

const tokenizer = await getTokenizer("wordpiece", { vocabSize: 36 }); // a real vocabulary has thousands
await tokenizer.train?.(corpus());

// ## goes on with the word before. The corpus has no c, so that nothing spells chess.
const ids = tokenizer.encode("She plays, he plays chess");
console.log(...Array.from(ids, (id) => tokenizer.decode([id])));
console.log(tokenizer.decode(ids));
console.log(tokenizer.specialTokens); // trainers put [CLS] and [SEP] around texts
