/** What `defineRun` takes, checked by `tsc`: a line under `@ts-expect-error` that compiled would be an error. */
import { defineRun } from "../../src/run/config.ts";

const whole = {
  tokenizer: "bpe",
  data: { name: "text", path: "book.txt" },
  model: "gpt2",
  trainer: { name: "causal_lm", maxSteps: 10 },
} as const;

defineRun(whole);
defineRun({ ...whole, seed: 3, metrics: ["perplexity", { name: "top_k_accuracy", k: 5 }], format: 1 });
defineRun({ extends: "./base.yaml", trainer: { maxSteps: null, numTrainEpochs: 2 } });
defineRun({ extends: ["a.yaml", "./b.ts"], model: "llama", metrics: null });

// @ts-expect-error: a run without a trainer is none.
defineRun({ tokenizer: "bpe", data: "text", model: "gpt2" });
// @ts-expect-error: a misspelt key.
defineRun({ ...whole, metric: ["perplexity"] });
// @ts-expect-error: without `extends`, a component has a name.
defineRun({ ...whole, trainer: { maxSteps: 10 } });
// @ts-expect-error: a misspelt key beside `extends`.
defineRun({ extends: "./base.yaml", sed: 1 });
// @ts-expect-error: a format that there is not.
defineRun({ ...whole, format: 2 });
