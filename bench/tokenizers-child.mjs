// Trains our bpe on a file, in a process of its own, and prints how long it took and the most memory it had.
import { createReadStream, readFileSync } from "node:fs";
import { getTokenizer } from "../dist/registry.mjs";

const [file, vocabSize] = process.argv.slice(2);
const tokenizer = await getTokenizer("bpe", { vocabSize: Number(vocabSize) });

/** Pieces that end where a line does. */
async function* pieces() {
  let rest = "";
  for await (const chunk of createReadStream(file, { encoding: "utf8", highWaterMark: 1 << 18 })) {
    const text = rest + chunk;
    const end = text.lastIndexOf("\n") + 1;
    yield text.slice(0, end);
    rest = text.slice(end);
  }
  yield rest;
}
const started = performance.now();
await tokenizer.train(pieces());
const seconds = (performance.now() - started) / 1000;
// Not what getrusage says: that begins with the parent's.
const megabytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
console.log(JSON.stringify({ seconds, megabytes, ids: tokenizer.vocabSize }));
