import { evaluationContext, getModel, input } from "codex-ml";

// In a run, vocabSize is the tokenizer's. Two heads of keys and values serve four heads of queries.
const model = await getModel("llama", {
  vocabSize: 2048,
  numHiddenLayers: 4,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  hiddenSize: 128,
  maxPositionEmbeddings: 128,
});

let count = 0;
for (const { dims } of model.parameters()) count += dims.reduce((product, dim) => product * dim, 1);
console.log(count, "parameters");
for (const { name, dims } of model.parameters().slice(0, 4)) console.log(name, dims.join(" × "));

// Calling it builds the graph that training and generation run. A dimension may be a name: any number of texts, of any length.
const inputIds = input("inputIds", "int32", ["batch", "length"]);
const { logits } = model.forward({ inputIds }, evaluationContext());
console.log("logits", logits.shape.join(" × "));
