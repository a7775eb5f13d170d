// A GPT of a given shape trained by TensorFlow.js with its WebAssembly backend, as its users write it.
//     node training-tfjs.mjs '{"layers": 4, …}' FOLDER-WITH-node_modules
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { batch, shape, takeTurns } from "./peer-turns.mjs";

const require = createRequire(join(process.argv[3], "package.json"));
const tf = require("@tensorflow/tfjs");
const wasm = require("@tensorflow/tfjs-backend-wasm");
wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
await tf.setBackend("wasm");
await tf.ready();

const { layers, width, heads, length, vocabulary } = shape;
const size = width / heads;
const normal = (dims) => tf.variable(tf.randomNormal(dims, 0, 0.02));
const zeros = (dims) => tf.variable(tf.zeros(dims));
const layerNorm = () => ({ gain: tf.variable(tf.ones([width])), bias: zeros([width]) });
const linear = (from, to) => ({ weight: normal([from, to]), bias: zeros([to]) });
const wte = normal([vocabulary, width]);
const wpe = normal([length, width]);
const blocks = Array.from({ length: layers }, () => ({
  ln1: layerNorm(),
  qkv: linear(width, 3 * width),
  out: linear(width, width),
  ln2: layerNorm(),
  up: linear(width, 4 * width),
  down: linear(4 * width, width),
}));
const lnF = layerNorm();

const normalize = (x, { gain, bias }) => {
  const { mean, variance } = tf.moments(x, -1, true);
  return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(gain).add(bias);
};
const apply = (x, { weight, bias }) => tf.matMul(x, weight).add(bias);
const gelu = (x) =>
  x.mul(0.5).mul(tf.tanh(x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI))).add(1));
const rows = shape.batch * length;
const unseen = tf.tidy(() =>
  tf.linalg
    .bandPart(tf.ones([length, length]), -1, 0)
    .sub(1)
    .mul(1e9),
);
const { inputIds, labels } = batch();
const ids = tf.tensor1d(inputIds, "int32");
const wanted = tf.tidy(() => tf.oneHot(tf.tensor1d(labels, "int32"), vocabulary).toFloat());

function attention(x, { qkv, out }) {
  const [q, k, v] = tf
    .split(apply(x, qkv), 3, -1)
    .map((part) => part.reshape([shape.batch, length, heads, size]).transpose([0, 2, 1, 3]));
  const weights = tf.softmax(
    tf
      .matMul(q, k, false, true)
      .mul(1 / Math.sqrt(size))
      .add(unseen),
  );
  return apply(tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape([rows, width]), out);
}

function loss() {
  // The gradient of tf.gather needs an operator that the WebAssembly backend does not have: a product with one-hot rows has.
  let x = tf
    .matMul(tf.oneHot(ids, vocabulary).toFloat(), wte)
    .reshape([shape.batch, length, width])
    .add(wpe)
    .reshape([rows, width]);
  for (const block of blocks) {
    x = x.add(attention(normalize(x, block.ln1), block));
    x = x.add(apply(gelu(apply(normalize(x, block.ln2), block.up)), block.down));
  }
  const logits = tf.matMul(normalize(x, lnF), wte, false, true);
  return tf.losses.softmaxCrossEntropy(wanted, logits);
}

const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
const step = async () => {
  const { value, grads } = tf.variableGrads(loss);
  // Clipping to a norm of 1, and the weight decay of AdamW, which TensorFlow.js does not have.
  const clipped = tf.tidy(() => {
    const norm = tf.addN(Object.values(grads).map((grad) => grad.square().sum())).sqrt();
    const factor = tf.minimum(tf.scalar(1), tf.div(1, norm));
    return Object.fromEntries(Object.entries(grads).map(([name, grad]) => [name, grad.mul(factor)]));
  });
  tf.tidy(() => {
    for (const { weight } of blocks.flatMap(({ qkv, out, up, down }) => [qkv, out, up, down]))
      weight.assign(weight.mul(1 - 1e-4));
    for (const weight of [wte, wpe]) weight.assign(weight.mul(1 - 1e-4));
  });
  optimizer.applyGradients(clipped);
  const [result] = await value.data();
  tf.dispose([value, grads, clipped]);
  return result;
};
await takeTurns(
  {
    version: tf.version.tfjs,
    backend: tf.getBackend(),
    threads: wasm.getThreadsCount?.() ?? 1,
    simd: await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"),
  },
  step,
);
