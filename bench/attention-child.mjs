// A contender of the attention benchmark: attention of so many positions with its gradients, "whole" or in "blocks". It prints
// the milliseconds of the processor that a run takes and the largest memory of the process, as JSON.
import { createJiti } from "jiti";

const load = (path) => createJiti(import.meta.url).import(path);
const { attention, causalAttention, constant, grad, input, reduceSum } = await load("../src/tensor/index.ts");
const { Program, TensorBuffer } = await load("../src/runtime/index.ts");

const length = Number(process.argv[2]);
const [heads, width, tokens] = [6, 64, 2048];
const inputs = ["q", "k", "v"].map((name) => input(name, "float32", [tokens / length, heads, length, width]));
// A mask of which only its numbers say that it is causal: attention goes whole.
const mask = () => {
  const later = Float32Array.from({ length: length ** 2 }, (_, at) =>
    at % length > Math.floor(at / length) ? -1e9 : 0,
  );
  return constant(later, "float32", [length, length]);
};
const out = process.argv[3] === "whole" ? attention(...inputs, { bias: mask() }) : causalAttention(...inputs);
const gradients = grad(reduceSum(out), inputs);
const outputs = Object.fromEntries(gradients.map((gradient, index) => [`gradient_${index}`, gradient]));
const buffer = ({ dtype, shape }) => {
  const made = new TensorBuffer({ dtype, shape });
  for (let at = 0; at < made.data.length; at++) made.data[at] = ((at * 7919) % 1000) / 1000 - 0.5;
  return made;
};
const call = new Program({ inputs, outputs }).bind(
  Object.fromEntries(inputs.map((tensor) => [tensor.source.name, buffer(tensor)])),
  Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, buffer(tensor)])),
);
await call.run();
const times = [];
for (let run = 0; run < 9; run++) {
  const before = process.cpuUsage();
  await call.run();
  const { user, system } = process.cpuUsage(before);
  times.push((user + system) / 1000);
}
const milliseconds = times.sort((a, b) => a - b)[4];
console.log(JSON.stringify({ milliseconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
