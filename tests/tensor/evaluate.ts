import { Program, TensorBuffer } from "../../src/runtime/index.ts";
import { type DType, input, leavesOf, type Random, type Tensor } from "../../src/tensor/index.ts";

export type Values = Readonly<Record<string, readonly number[] | Float64Array | Float32Array | Int32Array>>;

/** Runs a graph on numbers and gives the numbers of its outputs. Shapes must be numbers. */
export async function evaluate(
  outputs: Readonly<Record<string, Tensor>>,
  values: Values,
): Promise<Record<string, number[]>> {
  const inputs = leavesOf(Object.values(outputs)).filter((leaf) => leaf.source.kind === "input");
  const buffers = Object.fromEntries(
    inputs.map((tensor) => {
      const name = tensor.source.kind === "input" ? tensor.source.name : "";
      const buffer = new TensorBuffer({ dtype: tensor.dtype, shape: tensor.shape as number[] });
      (buffer.data as Float64Array).set(values[name] as Float64Array);
      return [name, buffer];
    }),
  );
  const results = Object.fromEntries(
    Object.entries(outputs).map(([name, { dtype, shape }]) => [
      name,
      new TensorBuffer({ dtype, shape: shape as number[] }),
    ]),
  );
  await new Program({ inputs, outputs }).bind(buffers, results).run();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]),
  );
}

/** An input with random values in (−1, 1). */
export function randomInput(
  name: string,
  shape: readonly number[],
  random: Random,
  dtype: DType = "float64",
) {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return {
    tensor: input(name, dtype, shape),
    values: Float64Array.from({ length: size }, () => 2 * random.uniform() - 1),
  };
}
