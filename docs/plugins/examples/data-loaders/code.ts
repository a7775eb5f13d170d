import { mkdir, writeFile } from "node:fs/promises";
import { getDataLoader, getTokenizer } from "codex-ml/registry";

await mkdir("project/build", { recursive: true });
await writeFile("project/.gitignore", "build/\n");
await writeFile("project/add.ts", "export const add = (a: number, b: number) => a + b;\n");
await writeFile("project/build/add.js", "export const add = (a, b) => a + b;\n"); // ignored by git, and so here
await writeFile("project/add.min.js", "export const add=(a,b)=>a+b;\n"); // minified: left out, too
await writeFile("project/main.py", "print('hello')\n"); // not of the languages that are asked for

// Each file is a document, here with its path as a comment before it.
const data = await getDataLoader("code", {
  path: "project",
  languages: ["typescript", "javascript"],
  template: "// {path}\n{text}",
  packing: false,
  validation: 0,
});

const tokenizer = await getTokenizer("byte");
const request = { tokenizer, sequenceLength: 128, seed: 1, epoch: 0, shuffle: false, start: 0 };
for await (const example of data.examples("train", request))
  if ("inputIds" in example) console.log(tokenizer.decode(Array.from(example.inputIds)));
