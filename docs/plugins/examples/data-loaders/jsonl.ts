import { writeFile } from "node:fs/promises";
import { getDataLoader, getTokenizer } from "codex-ml/registry";

const tickets = [
  { title: "Crash", body: "It crashes on start.", queue: "bug" },
  { title: "Dark mode", body: "Please add one.", queue: "wish" },
  { title: "Crash", body: "And on exit, too.", queue: "bug" },
];
await writeFile("tickets.jsonl", tickets.map((ticket) => `${JSON.stringify(ticket)}\n`).join(""));

// The text is made of two columns, and the class is in a third. Nothing is held out of so few.
const data = await getDataLoader("jsonl", {
  path: "tickets.jsonl",
  template: "{title}: {body}",
  columns: { label: "queue" },
  validation: 0,
});
console.log(await data.labels?.());

const tokenizer = await getTokenizer("byte");
const request = { tokenizer, sequenceLength: 64, seed: 1, epoch: 0, shuffle: false, start: 0 };
for await (const example of data.examples("train", request)) console.log(example);
