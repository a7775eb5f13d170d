import { evaluationContext, getModel, input } from "codex-ml";

// In a run, vocabSize is the tokenizer's, and labels are the data's classes.
const model = await getModel("embedding_bag", {
  vocabSize: 8192,
  labels: ["ham", "spam"],
  wordNgrams: 2, // pairs of tokens have a vector, too: one of 65,536, by their hash
});
for (const { name, dims } of model.parameters()) console.log(name, dims.join(" × "));

// Two texts of ten tokens each give a logit a class. Texts may be of any length.
const inputIds = input("inputIds", "int32", [2, 10]);
const { logits } = model.forward({ inputIds }, evaluationContext());
console.log("logits", logits.shape.join(" × "), "for", model.labels?.join(" and "));
