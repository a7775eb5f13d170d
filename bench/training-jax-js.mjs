// A GPT of a given shape trained by jax-js with its WebAssembly backend, as its users write it: the whole update in one `jit`.
//     node training-jax-js.mjs '{"layers": 4, …}' FOLDER-WITH-node_modules [worker]
// As it comes, it computes on one core in Node; with `worker` it finds a browser's `Worker` and uses all.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { batch, shape, takeTurns } from "./peer-turns.mjs";

if (process.argv[4] === "worker") await import("./web-worker.mjs");
const require = createRequire(join(process.argv[3], "package.json"));
const folder = join(dirname(require.resolve("@jax-js/jax")), "..");
const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const jax = await import(pathToFileURL(join(folder, "dist", "index.js")).href);
const { numpy: np, nn, random, tree, jit, valueAndGrad, init, defaultDevice } = jax;
await init("wasm");
defaultDevice("wasm");

const { layers, width, heads, length, vocabulary } = shape;
const size = width / heads;
const rows = shape.batch * length;
let keys = 0;
const normal = (dims) => random.normal(random.key(keys++), dims).mul(0.02);
const layerNorm = () => ({ gain: np.ones([width]), bias: np.zeros([width]) });
const linear = (from, to) => ({ weight: normal([from, to]), bias: np.zeros([to]) });
const initial = {
  wte: normal([vocabulary, width]),
  wpe: normal([length, width]),
  blocks: Array.from({ length: layers }, () => ({
    ln1: layerNorm(),
    qkv: linear(width, 3 * width),
    out: linear(width, width),
    ln2: layerNorm(),
    up: linear(width, 4 * width),
    down: linear(4 * width, width),
  })),
  lnF: layerNorm(),
};

// An argument is used up by the function that it is passed to: `.ref` keeps it for another use.
const normalize = (x, { gain, bias }) => nn.standardize(x).mul(gain).add(bias);
const apply = (x, { weight, bias }) => np.matmul(x, weight).add(bias);

// `dotProductAttention` needs iterator helpers, which Node 20 does not have; written out it takes as long.
function attention(x, qkv, out) {
  const [q, k, v] = np
    .split(apply(x, qkv), 3, -1)
    .map((part) => part.reshape([shape.batch, length, heads, size]).transpose([0, 2, 1, 3]));
  const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(size));
  const weights = nn.softmax(scores.add(np.triu(np.ones([length, length]), 1).mul(-1e9)), -1);
  return apply(np.matmul(weights, v).transpose([0, 2, 1, 3]).reshape([rows, width]), out);
}

function lossOf({ wte, wpe, blocks, lnF }, ids, labels) {
  // The gradient of `take` cannot be compiled here ("routine primitive scatter input is not imm"): a product with one-hot rows can.
  let x = np
    .matmul(nn.oneHot(ids, vocabulary), wte.ref)
    .reshape([shape.batch, length, width])
    .add(wpe)
    .reshape([rows, width]);
  for (const { ln1, qkv, out, ln2, up, down } of blocks) {
    x = x.ref.add(attention(normalize(x, ln1), qkv, out));
    x = x.ref.add(apply(nn.gelu(apply(normalize(x, ln2), up)), down));
  }
  const logits = np.matmul(normalize(x, lnF), wte.transpose());
  return nn
    .logSoftmax(logits)
    .mul(nn.oneHot(labels, vocabulary))
    .sum()
    .mul(-1 / rows);
}

/** AdamW with clipping to a norm of 1. */
const update = jit(function update(parameters, first, second, rate, correction, ids, labels) {
  const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(parameters), ids, labels);
  const norm = np.sqrt(
    tree
      .leaves(gradients)
      .map((gradient) => np.square(gradient.ref).sum())
      .reduce((a, b) => a.add(b)),
  );
  const factor = np.minimum(1, np.reciprocal(norm));
  const [weights, structure] = tree.flatten(parameters);
  const [m, v, g] = [first, second, gradients].map((part) => tree.leaves(part));
  const next = weights.map((weight, at) => {
    const gradient = g[at].mul(factor.ref);
    const mean = m[at].mul(0.9).add(gradient.ref.mul(0.1));
    const square = v[at].mul(0.999).add(np.square(gradient).mul(0.001));
    const root = np.sqrt(square.ref.mul(correction.ref.slice(1))).add(1e-8);
    const decayed = weight.shape.length > 1 ? weight.mul(rate.ref.mul(-0.1).add(1)) : weight;
    return [decayed.sub(mean.ref.mul(correction.ref.slice(0)).div(root).mul(rate.ref)), mean, square];
  });
  factor.dispose();
  rate.dispose();
  correction.dispose();
  return [
    loss,
    ...[0, 1, 2].map((part) =>
      tree.unflatten(
        structure,
        next.map((parts) => parts[part]),
      ),
    ),
  ];
});

let parameters = initial;
let first = tree.map((x) => np.zeros(x.shape), tree.ref(initial));
let second = tree.map((x) => np.zeros(x.shape), tree.ref(initial));
const given = batch();
const ids = np.array(given.inputIds, { dtype: np.int32 });
const labels = np.array(given.labels, { dtype: np.int32 });
let steps = 0;
const step = async () => {
  steps++;
  const correction = np.array([1 / (1 - 0.9 ** steps), 1 / (1 - 0.999 ** steps)]);
  let loss;
  [loss, parameters, first, second] = update(
    parameters,
    first,
    second,
    np.array(1e-3),
    correction,
    ids.ref,
    labels.ref,
  );
  const [value] = await loss.data();
  await jax.blockUntilReady(parameters);
  return value;
};
await takeTurns({ version, device: defaultDevice(), threads: 1 }, step);
