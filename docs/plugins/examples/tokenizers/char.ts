import { getTokenizer } from "codex-ml/registry";

async function* corpus() {
  yield "a cat, a hat, a chat";
}

const tokenizer = await getTokenizer("char");
await tokenizer.train?.(corpus());
console.log(tokenizer.vocabSize); // <unk>, the space, the comma, a, c, h, t, and <|endoftext|>

const ids = tokenizer.encode("that cat");
console.log(...ids);
console.log(tokenizer.decode(ids));
console.log(...tokenizer.encode("that dog")); // d, o and g were not in the corpus: 0, which is <unk>
