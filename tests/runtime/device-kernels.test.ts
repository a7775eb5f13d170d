/** What graphs do without where a device lacks a kernel, computed on the CPU: the same numbers. */
import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Device } from "../../src/runtime/device.ts";
import { ModelProtoSchema } from "../../src/runtime/gen/onnx_pb.ts";
import { Program, TensorBuffer } from "../../src/runtime/index.ts";
import { encodeForDevice } from "../../src/runtime/onnx-model.ts";
import { cpuProvider, webgpuProvider } from "../../src/runtime/ort/providers.ts";
import {
  dropoutMask,
  gather,
  grad,
  input,
  linear,
  matmul,
  mul,
  Random,
  reduceSum,
  rmsNorm,
  sign,
  sumOfSquares,
  type Tensor,
} from "../../src/tensor/index.ts";

const { lacking = [] } = webgpuProvider;
const withoutKernels = new Device("cpu", "the CPU without kernels that WebGPU lacks", {
  ...cpuProvider,
  lacking,
});

const x = input("x", "float32", [6, 4]);
const w = input("w", "float32", [4]);
const ids = input("ids", "int32", [7]);

/** Outputs by what they need. */
const outputs: Readonly<Record<string, () => Tensor>> = {
  FusedMatMul: () => matmul(x, x, { transposeB: true, scale: 0.3 }),
  "FusedMatMul, the other way": () => matmul(x, x, { transposeA: true }),
  Sum: () => sumOfSquares([x, w, mul(x, 2)]),
  Sign: () => sign(x),
  SimplifiedLayerNormalization: () => rmsNorm(x, w, 1e-5),
  "its gradient": () => grad(reduceSum(mul(rmsNorm(x, w, 1e-5), x)), [x])[0] as Tensor,
  "ordered ScatterElements": () => grad(reduceSum(mul(gather(x, ids), gather(x, ids))), [x])[0] as Tensor,
};

test.each(Object.keys(outputs))("without %s", async (name) => {
  const random = new Random(3);
  const y = (outputs[name] as () => Tensor)();
  const values = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const buffers = {
    x: new TensorBuffer({ dtype: "float32", shape: [6, 4], data: values(24) }),
    w: new TensorBuffer({ dtype: "float32", shape: [4], data: values(4) }),
    ids: new TensorBuffer({ dtype: "int32", shape: [7], data: Int32Array.of(2, 5, 2, 2, 0, 5, 3) }),
  };
  const run = async (device?: Device) => {
    const to = new TensorBuffer({ dtype: "float32", shape: y.shape as number[] });
    await new Program({ inputs: [x, w, ids], outputs: { y } }, {}, { device }).bind(buffers, { y: to }).run();
    return to.data;
  };
  const [plain, other] = [await run(), await run(withoutKernels)];
  expect(plain.some((value) => value !== 0)).toBe(true);
  for (const [at, value] of plain.entries()) expect(other[at]).toBeCloseTo(value, 5);
});

test("none of those operators is left, and the nodes of an operator that stays on the CPU are named", () => {
  const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
  const spec = (name: string) => ({ inputs: [x, w, ids], outputs: { y: (outputs[name] as () => Tensor)() } });
  for (const name of ["FusedMatMul", "SimplifiedLayerNormalization"]) {
    expect(text(encodeForDevice(spec(name), new Set()).bytes)).toContain(name);
    expect(text(encodeForDevice(spec(name), new Set(), { lacking }).bytes)).not.toContain(name);
  }
  const key = [input("a", "int32", []), input("b", "int32", [])] as const;
  const masked = { inputs: [...key], outputs: { y: dropoutMask([8, 4], 0.5, key, 0) } };
  const { onCpu } = encodeForDevice(masked, new Set(), webgpuProvider);
  expect(onCpu.length).toBeGreaterThan(20);
  expect(new Set(onCpu).size).toBe(onCpu.length);
  expect(encodeForDevice(spec("Sum"), new Set(), webgpuProvider).onCpu).toEqual([]);
});

test("forms that suit a processor's caches and threads are for the CPU alone", () => {
  const [rows, weight, bias, target] = [
    input("rows", "float32", [1024, 128]),
    input("weight", "float32", [128, 256]),
    input("bias", "float32", [256]),
    input("target", "float32", [1024, 256]),
  ] as const;
  const y = linear(rows, weight, bias);
  const [gradient] = grad(reduceSum(mul(y, target)), [weight]) as [Tensor];
  const spec = { inputs: [rows, weight, bias, target], outputs: { y, gradient } };
  const kindsOf = (bytes: Uint8Array) =>
    fromBinary(ModelProtoSchema, bytes).graph?.node.map(({ opType }) => opType) ?? [];
  const onDevice = kindsOf(encodeForDevice(spec, new Set(), webgpuProvider).bytes);
  const onProcessor = kindsOf(encodeForDevice(spec, new Set()).bytes);
  expect(onDevice.filter((kind) => kind === "Gemm")).toHaveLength(2);
  expect(onDevice).not.toContain("Transpose");
  expect(onDevice).not.toContain("Add");
  expect(onProcessor).toContain("Transpose");
  expect(onProcessor).toContain("Add");
});
