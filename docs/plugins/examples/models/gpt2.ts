import { evaluationContext, getModel, input } from "codex-ml";

// In a run, vocabSize is the tokenizer's.
const model = await getModel("gpt2", {
  vocabSize: 2048,
  numHiddenLayers: 4,
  numAttentionHeads: 4,
  hiddenSize: 128,
  maxPositionEmbeddings: 128,
});

let count = 0;
for (const { dims } of model.parameters()) count += dims.reduce((product, dim) => product * dim, 1);
console.log(count, "parameters");
for (const { name, dims } of model.parameters().slice(0, 4)) console.log(name, dims.join(" × "));

// Calling it builds the graph that training and generation run: two texts of ten tokens give logits for each next token.
const inputIds = input("inputIds", "int32", [2, 10]);
const { logits } = model.forward({ inputIds }, evaluationContext());
console.log("logits", logits.shape.join(" × "));
