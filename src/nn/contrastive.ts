import {
  add,
  arange,
  crossEntropy,
  describe,
  div,
  matmul,
  maximum,
  mul,
  reduceSum,
  slice,
  sqrt,
  type Tensor,
  TensorError,
  transpose,
} from "../tensor/index.ts";
import { checkedTemperature } from "./temperature.ts";

/** Rows of length 1: x / max(‖x‖₂, epsilon) over the last axis, as PyTorch's `normalize`. Rows of zeros stay zeros. */
export function normalize(x: Tensor, epsilon = 1e-12): Tensor {
  const squares = reduceSum(mul(x, x), { axes: [-1], keepDims: true });
  // The root of the larger, not the larger of the roots: the slope of √0 is infinite.
  return div(x, sqrt(maximum(squares, epsilon * epsilon)));
}

export interface ContrastiveOptions {
  /** What similarities are divided by. Default 0.05, which is the scale 20 of sentence-transformers. */
  readonly temperature?: number;
  /** Whether embeddings are scaled to length 1 first, so that similarities are cosines. Default true. */
  readonly cosine?: boolean;
  /** Whether each document must find its query among all queries as well; the mean of both, as in CLIP. Default false. */
  readonly symmetric?: boolean;
}

/**
 * In-batch contrastive loss: each query must find its document among those of the whole batch. InfoNCE (van den Oord et al.
 * 2018), also known as multiple negatives ranking (Henderson et al. 2017).
 *
 * @param queries embeddings (B, C).
 * @param documents embeddings (M, C) with M ≥ B: document i belongs to query i, those after the first B are further negatives.
 * @returns cross-entropy of each query in nats, (B).
 * @throws TensorError when the shapes do not fit, or the temperature is not above 0.
 */
export function contrastiveLosses(
  queries: Tensor,
  documents: Tensor,
  { temperature = 0.05, cosine = true, symmetric = false }: ContrastiveOptions = {},
): Tensor {
  const [count, others] = [queries.shape[0], documents.shape[0]];
  const enough =
    count === others || (typeof count === "number" && typeof others === "number" && count < others);
  if (queries.rank !== 2 || documents.rank !== 2 || queries.dim(1) !== documents.dim(1) || !enough)
    throw new TensorError(
      "SHAPE_MISMATCH",
      `contrastiveLosses: needs queries (B, C) and documents (M, C) with M ≥ B; got ${describe(queries)} and ${describe(documents)}.`,
    );
  const of = (x: Tensor) => (cosine ? normalize(x) : x);
  const scale = 1 / checkedTemperature("contrastiveLosses", temperature);
  const scores = mul(matmul(of(queries), of(documents), { transposeB: true }), scale); //        (B, M)
  const labels = arange(queries.dim(0)); //                                                     (B)
  const losses = crossEntropy(scores, labels);
  if (!symmetric) return losses;
  const backward = crossEntropy(transpose(slice(scores, 1, 0, queries.dim(0)), [1, 0]), labels);
  return mul(add(losses, backward), 0.5);
}
