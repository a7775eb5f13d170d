// Trains on lines of data.txt with the cache of its folder, and prints what it saw; imports the build.
// usage: caching-process.mjs FOLDER [encodings after which it stops for good, having said "stopped"]
import { writeSync } from "node:fs";
import { dataLoaderRegistry, getTokenizer } from "codex-ml";

const [folder, stopAfter] = process.argv.slice(2);
const byte = await getTokenizer("byte");
let encodings = 0;
const tokenizer = {
  vocabSize: byte.vocabSize,
  eosTokenId: byte.eosTokenId,
  encode(text) {
    if (++encodings === Number(stopAfter)) {
      writeSync(1, "stopped");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return byte.encode(text);
  },
  decode: (ids) => byte.decode(ids),
  save: () => byte.save(),
  load: (files) => byte.load(files),
};
const loader = await dataLoaderRegistry.create(
  "lines",
  { path: "data.txt", validation: 0 },
  { directory: folder },
);
const request = { tokenizer, sequenceLength: 64, seed: 1, epoch: 0, shuffle: true, start: 0 };
let sum = 0;
for await (const { inputIds } of loader.examples("train", request))
  for (const id of inputIds) sum = (Math.imul(sum, 31) + id) | 0;
writeSync(1, JSON.stringify({ sum, encodings, notes: loader.notes() }));
