import { create, toBinary } from "@bufbuild/protobuf";
import {
  CONTRIB,
  describe,
  formatShape,
  leavesOf,
  type Operation,
  operationsOf,
  staticShape,
  sumTerms,
  type Tensor,
  type Value,
} from "../tensor/index.ts";
import { RuntimeError } from "./errors.ts";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type TensorProto,
  TensorShapeProto_DimensionSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import { onnxType, outsideProto } from "./onnx-constants.ts";
import { type Kernels, OnnxGraph } from "./onnx-graph.ts";

/** Version of the standard operator set that lowerings are written for, and the file format that goes with it. */
const OPSET = 20n;
const IR_VERSION = 9n;

/** A graph to compile: what goes in from outside, and what comes out under which name. */
export interface GraphSpec {
  /** Every input leaf that the outputs depend on, and possibly more. */
  readonly inputs: readonly Tensor[];
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Name of an input tensor. */
export function inputName(tensor: Tensor): string {
  if (tensor.source.kind !== "input")
    throw new RuntimeError(
      "NOT_AN_INPUT",
      `${describe(tensor)} is computed, so it cannot be an input of a graph.`,
    );
  return tensor.source.name;
}

/** The bytes of an ONNX model, as {@link encodeForDevice} makes them for the CPU. */
export function encodeModel(spec: GraphSpec, fixed: ReadonlySet<string> = new Set()): Uint8Array {
  return encodeForDevice(spec, fixed).bytes;
}

/**
 * Encodes a traced graph as the bytes of an ONNX model (https://onnx.ai/onnx/repo-docs/IR.html).
 *
 * @param fixed names of inputs whose numbers the session gets when it is made: constants that are not in these bytes.
 * @returns also the names of the nodes that are better left to the CPU.
 */
export function encodeForDevice(
  { inputs, outputs }: GraphSpec,
  fixed: ReadonlySet<string>,
  kernels?: Kernels,
): { readonly bytes: Uint8Array; readonly onCpu: readonly string[] } {
  const graph = new OnnxGraph(inputs, kernels);
  const values = new Map<Tensor, Value>();
  const names = new Set<string>();
  for (const tensor of inputs) {
    const name = inputName(tensor);
    if (names.has(name))
      throw new RuntimeError("DUPLICATE_INPUT", `Two inputs of the graph are called "${name}".`);
    names.add(name);
    values.set(tensor, { name });
  }
  const roots = Object.values(outputs);
  for (const leaf of leavesOf(roots)) {
    if (leaf.source.kind === "constant")
      values.set(leaf, graph.constant(leaf.source.data, leaf.dtype, leaf.shape));
    else if (!values.has(leaf))
      throw new RuntimeError(
        "MISSING_INPUT",
        `The graph reads the input ${describe(leaf)}, which is not among its inputs.`,
      );
  }
  for (const operation of operationsOf(roots)) lower(graph, operation, values);

  const taken = new Set(Object.keys(outputs));
  for (const [name, tensor] of Object.entries(outputs)) {
    const value = lookUp(values, tensor);
    graph.rename(value, name, taken);
    if (!taken.has(value.name) && !names.has(value.name))
      for (const [key, known] of values) if (known === value) values.set(key, { name });
  }

  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "codex-ml",
    opsetImport: [
      { domain: "", version: OPSET },
      { domain: CONTRIB, version: 1n },
    ],
    graph: create(GraphProtoSchema, {
      name: "graph",
      node: graph.nodes,
      initializer: [
        ...graph.initializers,
        ...inputs.filter((tensor) => fixed.has(inputName(tensor))).map(outsideTensor),
      ],
      input: inputs
        .filter((tensor) => !fixed.has(inputName(tensor)))
        .map((tensor) => valueInfo(inputName(tensor), tensor)),
      output: Object.entries(outputs).map(([name, tensor]) => valueInfo(name, tensor)),
    }),
  });
  return { bytes: toBinary(ModelProtoSchema, model), onCpu: graph.onCpu };
}

function outsideTensor(tensor: Tensor): TensorProto {
  const name = inputName(tensor);
  return outsideProto(name, tensor.dtype, staticShape(tensor.shape, `the constant "${name}"`));
}

function lower(graph: OnnxGraph, operation: Operation, values: Map<Tensor, Value>): void {
  const inputs = operation.inputs.map((tensor) => lookUp(values, tensor));
  graph.enter(operation);
  // Nothing is computed where there is nothing: some of ONNX Runtime's kernels refuse to spread over an axis of length 0, or
  // take it for 1.
  const isEmpty = operation.outputs.every(({ shape }) => shape.includes(0));
  const lowered = isEmpty
    ? operation.outputs.map(({ dtype, shape }) => graph.fill(0, dtype, shape))
    : operation.operator.lower(graph, inputs, {
        attributes: operation.attributes,
        inputs: operation.inputs,
        outputs: operation.outputs,
      });
  for (const [index, output] of operation.outputs.entries()) {
    const value = lowered[index];
    if (value === undefined)
      throw new RuntimeError(
        "BAD_LOWERING",
        `The operator "${operation.operator.name}" gave no value for its output ${index}.`,
      );
    values.set(output, value);
  }
}

function lookUp(values: ReadonlyMap<Tensor, Value>, tensor: Tensor): Value {
  const value = values.get(tensor);
  if (value === undefined)
    throw new RuntimeError("NOT_LOWERED", `${describe(tensor)} has no value in the graph.`);
  return value;
}

function valueInfo(name: string, tensor: Tensor): ValueInfoProto {
  const dim = tensor.shape.map((length) => {
    if (typeof length === "number")
      return create(TensorShapeProto_DimensionSchema, { value: { case: "dimValue", value: BigInt(length) } });
    if (length.includes("*"))
      throw new RuntimeError(
        "PRODUCT_DIMENSION",
        `"${name}" ${formatShape(tensor.shape)}: an input or output needs axes that are numbers or single symbols.`,
      );
    const value = sumTerms(length).join(" + ");
    return create(TensorShapeProto_DimensionSchema, { value: { case: "dimParam", value } });
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: onnxType[tensor.dtype], shape: { dim } } } },
  });
}
