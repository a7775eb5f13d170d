import { getMetric } from "codex-ml/registry";

const answers = [
  { prediction: "Denver Broncos", references: ["Denver Broncos", "The Broncos"] },
  { prediction: "the denver broncos!", references: ["Denver Broncos"] },
];

const strict = await getMetric("exact_match");
const lenient = await getMetric("exact_match", { normalize: "squad" });
for (const texts of answers) {
  strict.update({ labels: new Int32Array(), texts });
  lenient.update({ labels: new Int32Array(), texts });
}
console.log("as they stand", strict.compute()); // 1 of 2
console.log("as SQuAD compares", lenient.compute()); // case, articles and punctuation do not count
