import { create } from "@bufbuild/protobuf";
import {
  type Attribute,
  type ConstantData,
  type Dim,
  type DType,
  dimFactors,
  type Lowering,
  type NodeOptions,
  type Operation,
  placeOf,
  type Shape,
  sizeOf,
  staticShape,
  sumTerms,
  type Tensor,
  type Value,
} from "../tensor/index.ts";
import { RuntimeError } from "./errors.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
} from "./gen/onnx_pb.ts";
import { onnxType, tensorProto } from "./onnx-constants.ts";

/** Constants of up to this many elements are written out; larger fills are made by a node. */
const WRITTEN_FILL = 16_384;

function attributeProto(name: string, value: Attribute): AttributeProto {
  if ("int" in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value.int) });
  if ("float" in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  if ("dtype" in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(onnxType[value.dtype]) });
  if ("string" in value)
    return create(AttributeProtoSchema, {
      name,
      type: AttributeType.STRING,
      s: new TextEncoder().encode(value.string),
    });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.ints.map(BigInt) });
}

/** What a device cannot do, or not well. */
export interface Kernels {
  /** Operators of ONNX without a kernel, where others can do the same. */
  readonly lacking?: readonly string[];
  /** Operators of ours that lack so many kernels that all of it is better left to the CPU: then only the result crosses. */
  readonly onCpu?: readonly string[];
}

/**
 * Collects the nodes and constants of one ONNX graph: what operators' lowerings write to. A node is called
 * `<scope>/<operator>_<number>` (see `placeOf`), so that a profile tells which part of the model it belongs to.
 */
export class OnnxGraph implements Lowering {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #inputs: readonly Tensor[];
  readonly #shared = new Map<string, Value>();
  readonly #large = new Map<ConstantData, Map<string, Value>>();
  #names = 0;
  /** What is being lowered: nodes are named after it. */
  #place = "graph";
  #operator = "graph";

  readonly #kernels: Kernels;
  /** Names of the nodes that are better left to the CPU. */
  readonly onCpu: string[] = [];

  readonly forProcessor: boolean;

  /** @param kernels Of a device; without it is for the CPU. */
  constructor(inputs: readonly Tensor[], kernels?: Kernels) {
    this.#inputs = inputs;
    this.#kernels = kernels ?? {};
    this.forProcessor = kernels === undefined;
  }

  /** Says which operation the nodes that follow belong to. */
  enter(operation: Operation): void {
    this.#place = placeOf(operation);
    this.#operator = operation.operator.name;
  }

  fused(dtype: DType): boolean {
    return dtype === "float32";
  }

  lacks(operator: string): boolean {
    return this.#kernels.lacking?.includes(operator) ?? false;
  }

  node(
    type: string,
    inputs: readonly (Value | undefined)[],
    options: NodeOptions = {},
  ): readonly [Value, ...Value[]] {
    const first = this.#value(type);
    const rest = Array.from({ length: (options.outputs ?? 1) - 1 }, () => this.#value(type));
    this.nodes.push(
      create(NodeProtoSchema, {
        name: this.#nodeName(),
        opType: type,
        domain: options.domain ?? "",
        input: inputs.map((value) => value?.name ?? ""),
        output: [first, ...rest].map((value) => value.name),
        attribute: Object.entries(options.attributes ?? {}).map(([name, value]) =>
          attributeProto(name, value),
        ),
      }),
    );
    return [first, ...rest];
  }

  constant(data: ConstantData, dtype: DType, shape: Shape): Value {
    const dims = staticShape(shape, "a constant");
    const make = () => {
      const value = this.#value("constant");
      this.initializers.push(tensorProto(value.name, data, dtype, dims));
      return value;
    };
    const type = `${dtype}:${dims.join()}`;
    if (data.length <= 64) {
      const values = Array.from(data, (value) => (Object.is(value, -0) ? "-0" : value));
      return this.#once(`${type}:${values.join()}`, make);
    }
    const ofData = this.#large.get(data) ?? new Map<string, Value>();
    this.#large.set(data, ofData);
    const known = ofData.get(type) ?? make();
    ofData.set(type, known);
    return known;
  }

  fill(value: number, dtype: DType, shape: Shape): Value {
    const size = sizeOf(shape);
    return this.#once(`fill:${value}:${dtype}:${shape.join()}`, () => {
      if (typeof size === "number" && size <= WRITTEN_FILL)
        return this.constant(new Float64Array(size).fill(value), dtype, shape);
      return this.node("Expand", [this.constant([value], dtype, []), this.shapeVector(shape)])[0];
    });
  }

  shapeVector(shape: Shape): Value {
    if (shape.every((dim) => typeof dim === "number")) return this.constant(shape, "int64", [shape.length]);
    return this.#once(`shape:${shape.join()}`, () => {
      const parts = shape.map((dim) => this.dim(dim));
      return parts.length === 1 && parts[0]
        ? parts[0]
        : this.node("Concat", parts, { attributes: { axis: { int: 0 } } })[0];
    });
  }

  dim(dim: Dim): Value {
    if (typeof dim === "number") return this.constant([dim], "int64", [1]);
    return this.#once(`dim:${dim}`, () => {
      const { coefficient, symbols } = dimFactors(dim);
      const factors = symbols.map((symbol) => this.#symbol(symbol));
      if (coefficient !== 1) factors.push(this.constant([coefficient], "int64", [1]));
      return factors.reduce((product, factor) => this.node("Mul", [product, factor])[0]);
    });
  }

  reshape(value: Value | undefined, shape: Shape): Value {
    // Without allowzero, ONNX takes a 0 for "the length that this axis has in the input".
    const attributes = shape.includes(0) ? { allowzero: { int: 1 } } : {};
    return this.node("Reshape", [value, this.shapeVector(shape)], { attributes })[0];
  }

  /** Gives a value that a node made the name `name`, or makes a named copy of one that no node made or that has a name. */
  rename(value: Value, name: string, taken: ReadonlySet<string>): void {
    const owner = this.nodes.find((node) => node.output.includes(value.name));
    if (owner === undefined || taken.has(value.name)) {
      this.nodes.push(
        create(NodeProtoSchema, {
          name: `output_${this.nodes.length}`,
          opType: "Identity",
          input: [value.name],
          output: [name],
        }),
      );
      return;
    }
    const replace = (names: string[]) => names.map((other) => (other === value.name ? name : other));
    for (const node of this.nodes) {
      if (node.input.includes(value.name)) node.input = replace(node.input);
      if (node === owner) node.output = replace(node.output);
    }
  }

  /** The length that a free symbol has at run time, read off an input that has it as an axis. */
  #symbol(symbol: string): Value {
    return this.#once(`symbol:${symbol}`, () => {
      for (const tensor of this.#inputs) {
        const axis = tensor.shape.indexOf(symbol);
        if (axis < 0 || tensor.source.kind !== "input") continue;
        const [shape] = this.node("Shape", [{ name: tensor.source.name }]);
        return this.node("Gather", [shape, this.constant([axis], "int64", [1])], {
          attributes: { axis: { int: 0 } },
        })[0];
      }
      const terms = sumTerms(symbol);
      if (terms.length > 1)
        return terms.map((term) => this.dim(term)).reduce((sum, term) => this.node("Add", [sum, term])[0]);
      throw new RuntimeError(
        "FREE_SYMBOL",
        `No input of the graph has an axis "${symbol}", so its length cannot be known.`,
      );
    });
  }

  #nodeName(): string {
    if (!this.#kernels.onCpu?.includes(this.#operator)) return `${this.#place}_${this.nodes.length}`;
    // Short: the list of them may have 8 kB.
    const name = this.onCpu.length.toString(36);
    this.onCpu.push(name);
    return name;
  }

  #value(hint: string): Value {
    return { name: `${hint.toLowerCase()}_${this.#names++}` };
  }

  #once(key: string, make: () => Value): Value {
    const known = this.#shared.get(key) ?? make();
    this.#shared.set(key, known);
    return known;
  }
}
