import { TensorError } from "../errors.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { reshape } from "./reshape.ts";

const apply = defineOperator<undefined>({
  name: "crossEntropy",
  auxiliaryOutputs: true,
  infer: (inputs) => {
    const [logits, labels] = inputs as [Tensor, Tensor];
    if (
      logits.rank !== 2 ||
      labels.rank !== 2 ||
      labels.dim(0) !== logits.dim(0) ||
      labels.dim(1) !== 1 ||
      labels.dtype !== "int32"
    )
      throw new TensorError(
        "SHAPE_MISMATCH",
        `crossEntropy: needs logits (N, V) and int32 labels (N, 1); got ${describe(logits)} and ${describe(labels)}.`,
      );
    return [
      { dtype: logits.dtype, shape: [logits.dim(0), 1] },
      { dtype: logits.dtype, shape: logits.shape },
    ];
  },
  gradient: ({ inputs: [, labels], outputs: [, probabilities], outputGradients: [dy] }) =>
    // softmax − one-hot, times a factor a row: the products of matrices that follow scale their narrow side (columnSum).
    dy === undefined ? [] : [mul(subtractOneAt(probabilities as Tensor, labels as Tensor), dy)],
  lower: (lowering, [logits, labels]) => {
    const last = { attributes: { axis: { int: -1 } } };
    const rowMax = (x: typeof logits) =>
      lowering.node("ReduceMax", [x, lowering.constant([-1], "int64", [1])])[0];
    const [probabilities] = lowering.node("Softmax", [logits], last);
    const [chosen] = lowering.node("GatherElements", [logits, labels], last);
    // log Σ eˣ = max x − log(max softmax): exact where −log(softmax[label]) would be log 0.
    const [logOfMax] = lowering.node("Log", [rowMax(probabilities)]);
    const [logSum] = lowering.node("Sub", [rowMax(logits), logOfMax]);
    return [lowering.node("Sub", [logSum, chosen])[0], probabilities];
  },
});

const scatter = defineOperator<undefined>({
  name: "subtractOneAt",
  infer: ([x]) => [{ dtype: (x as Tensor).dtype, shape: (x as Tensor).shape }],
  lower: (lowering, [x, columns], { inputs }) => {
    const minusOne = lowering.fill(-1, (inputs[0] as Tensor).dtype, (inputs[1] as Tensor).shape);
    return lowering.node("ScatterElements", [x, columns, minusOne], {
      attributes: { axis: { int: 1 }, reduction: { string: "add" } },
    });
  },
});

function subtractOneAt(x: Tensor, columns: Tensor): Tensor {
  return scatter([x, columns], undefined)[0];
}

/**
 * Takes `probabilities − one-hot(labels)`, (N, V), apart where `x` was made that way. A product with it is a product with the
 * probabilities and a look-up of N rows: the difference, as large as the logits, need not be written.
 */
export function oneHotDifference(
  x: Tensor,
): { readonly probabilities: Tensor; readonly labels: Tensor } | undefined {
  if (x.source.kind !== "operation" || x.source.operation.operator.name !== "subtractOneAt") return undefined;
  const [probabilities, labels] = x.source.operation.inputs as [Tensor, Tensor];
  return { probabilities, labels };
}

/**
 * −log softmax(logits)[label] of each row, in nats: logits (N, V), int32 labels (N) → (N). Labels must lie in [0, V).
 * Exact for any finite logits.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const rows = labels.dim(0);
  return reshape(apply([logits, reshape(labels, [rows, 1])], undefined)[0], [rows]);
}
