// Trains a tokenizer on nothing but different words, and prints how long it took and the most memory that the process had.
//   node bench/tokenizers-memory.mjs bpe 16 65536      name, millions of words, maxWords
import { readFileSync } from "node:fs";
import { getTokenizer } from "../dist/registry.mjs";

const [name, millions, maxWords] = process.argv.slice(2);
const tokenizer = await getTokenizer(name, { vocabSize: 1000, maxWords: Number(maxWords) });
const total = Number(millions) * 1e6;
let bytes = 0;

/** Another word of small letters for every number below 2^32. */
function word(number) {
  const digits = (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(26);
  return digits.replace(/\d/g, (digit) => "qrstuvwxyz"[digit]);
}

async function* pieces() {
  for (let at = 0; at < total; at += 5000) {
    const text = Array.from({ length: 5000 }, (_, i) => ` ${word(at + i)}`).join("");
    bytes += text.length;
    yield text;
  }
}

const started = performance.now();
await tokenizer.train(pieces());
const seconds = ((performance.now() - started) / 1000).toFixed(1);
const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
console.log(
  `${name}: ${millions} million words, ${(bytes / 1e6).toFixed(0)} MB, ${seconds} s, peak ${peak.toFixed(0)} MB`,
);
