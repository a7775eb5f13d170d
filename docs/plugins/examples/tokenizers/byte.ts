import { getTokenizer } from "codex-ml/registry";

const tokenizer = await getTokenizer("byte");
const ids = tokenizer.encode("café");
console.log(...ids); // é is two bytes of UTF-8, 195 and 169
console.log(tokenizer.decode(ids));
console.log(tokenizer.vocabSize, tokenizer.specialTokens); // 256 bytes and the end of a text
