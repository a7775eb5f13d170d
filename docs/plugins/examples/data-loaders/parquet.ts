import { getDataLoader, getTokenizer } from "codex-ml/registry";
import { parquetWriteFile } from "hyparquet-writer"; // a package of its own, to have a file to read

parquetWriteFile({
  filename: "pairs.parquet",
  columnData: [
    { name: "question", data: ["Where is it?", "Who wrote it?"] },
    { name: "answer", data: ["On the table.", "Melville did."] },
    { name: "source", data: ["made up", "made up"] },
  ],
});

// Only the two columns that are named are read.
const data = await getDataLoader("parquet", {
  path: "pairs.parquet",
  columns: { text: "question", textPair: "answer" },
  validation: 0,
});

const tokenizer = await getTokenizer("byte");
const request = { tokenizer, sequenceLength: 64, seed: 1, epoch: 0, shuffle: false, start: 0 };
for await (const example of data.examples("train", request)) console.log(example);
