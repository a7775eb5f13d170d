import { evaluationContext, getModel, input } from "codex-ml";

const size = { vocabSize: 2048, numHiddenLayers: 2, numAttentionHeads: 4, hiddenSize: 128 };
const inputIds = input("inputIds", "int32", [2, 10]);

// Without classes it guesses hidden tokens; with them it is a classifier. In a run, both vocabSize and labels are filled in.
for (const options of [size, { ...size, labels: ["ham", "spam"] }]) {
  const model = await getModel("bert", options);
  let count = 0;
  for (const { dims } of model.parameters()) count += dims.reduce((product, dim) => product * dim, 1);
  const { logits } = model.forward({ inputIds }, evaluationContext());
  console.log(model.task, "has", count, "parameters; its logits are", logits.shape.join(" × "));
}
