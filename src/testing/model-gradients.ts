import type { Model } from "../models/index.ts";
import type { Parameter } from "../nn/index.ts";
import { describeError, quote } from "../packages/index.ts";
import { Program, TensorBuffer } from "../runtime/index.ts";
import { describe, grad, leavesOf, mul, Random, reduceSum, type Tensor } from "../tensor/index.ts";
import { broken } from "./check.ts";
import { filledValues, firstValues, type Trace, traceModel } from "./model-observed.ts";

/** Builds the graph of the gradients, compiles it and runs it once: an operator can fail in each. */
export async function checkGradients(model: Model): Promise<void> {
  const [batch, length] = [2, Math.min(4, model.maxPositionEmbeddings)];
  const { inputs, logits } = traceModel(model, batch, length, "training");
  const parameters = model.parameters();
  const leaves = new Set(leavesOf([logits]));
  for (const parameter of parameters)
    if (!leaves.has(parameter))
      broken(
        `The logits do not depend on the parameter ${quote(parameter.name)}, so it would never be trained. Expected every ` +
          "one of parameters() to be used in forward.",
      );
  const random = new Random(3);
  const rows = Array.from({ length: batch }, () =>
    Array.from({ length }, () => random.integer(model.vocabSize)),
  );
  await runGradients(model, { inputs, logits }, { input_ids: rows }, firstValues(model));
}

/** The same of a batch with a mask, from weights that are not zero. */
export async function checkFiniteGradients(
  model: Model,
  rows: readonly (readonly number[])[],
  attentionMask: readonly (readonly number[])[],
): Promise<void> {
  const trace = traceModel(model, rows.length, rows[0]?.length ?? 0, "training", ["attentionMask"]);
  await runGradients(model, trace, { input_ids: rows, attentionMask }, filledValues(model));
}

async function runGradients(
  model: Model,
  { inputs, logits }: Pick<Trace, "inputs" | "logits">,
  batch: Readonly<Record<string, readonly (readonly number[])[]>>,
  values: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const parameters = model.parameters();
  // Of squares: the plain sum of logits can be flat where a normalisation comes last.
  const gradients = gradientsOf(reduceSum(mul(logits, logits)), parameters);
  const keys = ["dropout_key_a", "dropout_key_b"];
  const given: Record<string, TensorBuffer> = Object.fromEntries(
    keys.map((key) => [key, new TensorBuffer({ dtype: "int32", shape: [] })]),
  );
  for (const [name, rows] of Object.entries(batch)) {
    const shape = [rows.length, rows[0]?.length ?? 0];
    given[name] = new TensorBuffer({ dtype: "int32", shape, data: Int32Array.from(rows.flat()) });
  }
  const results: Record<string, TensorBuffer<"float32">> = {};
  for (const { name, dims } of parameters) {
    const data = values.get(name) ?? new Float32Array();
    given[name] = new TensorBuffer({ dtype: "float32", shape: dims, data });
    results[`gradient/${name}`] = new TensorBuffer({ dtype: "float32", shape: dims });
  }
  await new Program({ inputs, outputs: gradients }).bind(given, results).run();
  for (const { name } of parameters) {
    const wrong = results[`gradient/${name}`]?.data.find((value) => !Number.isFinite(value));
    if (wrong !== undefined)
      broken(`The gradient of ${quote(name)} holds ${wrong}; expected finite numbers.`);
  }
}

/** One gradient a parameter, under `gradient/name`. @throws ConformanceError naming a parameter that none reaches. */
function gradientsOf(loss: Tensor, parameters: readonly Parameter[]): Record<string, Tensor> {
  const stopped = (parameter: Parameter, why: string): never =>
    broken(
      `No gradient reaches the parameter ${quote(parameter.name)}, ${describe(parameter)}: ${why}. Expected a path to the ` +
        "logits through operators that can be differentiated.",
    );
  let gradients: readonly (Tensor | undefined)[];
  try {
    gradients = grad(loss, parameters);
  } catch (error) {
    for (const parameter of parameters)
      try {
        grad(loss, [parameter]);
      } catch (cause) {
        stopped(parameter, describeError(cause).replace(/\.$/, ""));
      }
    throw error;
  }
  return Object.fromEntries(
    parameters.map((parameter, index) => [
      `gradient/${parameter.name}`,
      gradients[index] ?? stopped(parameter, "every path from it stops on the way"),
    ]),
  );
}
