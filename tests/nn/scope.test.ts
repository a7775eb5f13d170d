/** Errors and nodes say which part of a model they belong to, without a word from the model's author. */
import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { Embedding, LayerNorm, Linear, Module } from "../../src/nn/index.ts";
import { ModelProtoSchema } from "../../src/runtime/gen/onnx_pb.ts";
import { encodeModel, Program } from "../../src/runtime/index.ts";
import {
  add,
  currentScope,
  grad,
  input,
  inScope,
  matmul,
  mul,
  reduceSum,
  softmax,
  type Tensor,
  TensorError,
} from "../../src/tensor/index.ts";

class Attention extends Module {
  readonly query: Linear;
  readonly key: Linear;

  constructor(size: number, wrong: number) {
    super();
    this.query = new Linear(wrong, size);
    this.key = new Linear(size, size);
  }

  forward(x: Tensor): Tensor {
    const q = this.query.forward(x); // the line of the mistake
    return matmul(softmax(matmul(q, this.key.forward(x), { transposeB: true })), x);
  }
}

class Layer extends Module {
  readonly norm: LayerNorm;
  readonly attention: Attention;

  constructor(size: number, wrong: number) {
    super();
    this.norm = new LayerNorm(size);
    this.attention = new Attention(size, wrong);
  }

  forward(x: Tensor): Tensor {
    return add(x, this.attention.forward(this.norm.forward(x)));
  }
}

class GPT extends Module {
  readonly tokens = new Embedding(10, 8);
  readonly layers: readonly Layer[];

  constructor(wrong = 8) {
    super();
    this.layers = [8, wrong].map((size) => new Layer(8, size));
  }

  forward(ids: Tensor): Tensor {
    const x = this.tokens.forward(ids);
    return mul(
      this.layers.reduce((y, layer) => layer.forward(y), x),
      2,
    );
  }
}

const ids = () => input("ids", "int32", [2, 3]);

function errorOf(build: () => unknown): TensorError {
  try {
    build();
  } catch (error) {
    if (error instanceof TensorError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Names of the nodes of a graph. */
function nodeNames(outputs: Readonly<Record<string, Tensor>>, inputs: readonly Tensor[]): string[] {
  const { graph } = fromBinary(ModelProtoSchema, encodeModel({ inputs, outputs }));
  return (graph?.node ?? []).map(({ name }) => name);
}

describe("a shape mistake in a nested module", () => {
  const error = errorOf(() => new GPT(5).forward(ids()));

  test("names operator, both shapes as the author sees them, and the parameter", () => {
    expect(error.message).toContain(
      "linear: float32(2, 3, 8) times layers.1.attention.query.weight float32(8, 5) transposed",
    );
  });

  test("names the module by the way that leads to it", () => {
    expect(error.scope).toBe("gpt.layers.1.attention.query");
    expect(error.message).toContain("\n    in gpt.layers.1.attention.query\n");
  });

  test("names the line of the model's author, not one of the library", () => {
    const lines = readFileSync(new URL(import.meta.url), "utf8").split("\n");
    const line = 1 + lines.findIndex((text) => text.endsWith("// the line of the mistake"));
    expect(error.location).toMatch(new RegExp(`scope\\.test\\.ts:${line}:\\d+$`));
    expect(error.message.split("\n").at(-1)).toBe(`    at ${error.location}`);
  });

  test("leaves the scope as it was", () => expect(currentScope()).toBe(""));
});

test("a module that is no field has the path of whoever called it, and its class", () => {
  class Outer extends Module {
    readonly #inner = new Layer(8, 5);
    forward(x: Tensor): Tensor {
      return this.#inner.forward(x);
    }
  }
  expect(errorOf(() => new Outer().forward(input("x", "float32", [2, 8]))).scope).toBe(
    "outer.layer.attention.query",
  );
});

test("a part by itself, a subclass that calls super, and a part that knows its owner", () => {
  expect(errorOf(() => new Attention(8, 5).forward(input("x", "float32", [2, 8]))).scope).toBe(
    "attention.query",
  );
  class Scaled extends Linear {
    override forward(x: Tensor): Tensor {
      return mul(super.forward(x), 2);
    }
  }
  class Owner extends Module {
    readonly part = new Part(this);
    forward(x: Tensor): Tensor {
      return this.part.forward(x);
    }
  }
  class Part extends Module {
    readonly owner: Owner;
    readonly scaled = new Scaled(5, 8);
    constructor(owner: Owner) {
      super();
      this.owner = owner;
    }
    forward(x: Tensor): Tensor {
      return this.scaled.forward(x);
    }
  }
  const owner = new Owner();
  expect(errorOf(() => owner.forward(input("x", "float32", [2, 8]))).scope).toBe("owner.part.scaled");
  expect(owner.parameters().map(({ name }) => name)).toEqual(["part.scaled.weight", "part.scaled.bias"]);
});

test("an error outside of any module has a line and no path", () => {
  const error = errorOf(() => add(input("x", "float32", [2]), input("y", "float32", [3])));
  expect(error.scope).toBe("");
  expect(error.message).toMatch(/^add: shapes \(2\) and \(3\) .*\n {4}at .*scope\.test\.ts:\d+:\d+$/);
});

describe("nodes", () => {
  const trace = () => {
    const model = new GPT();
    const given = ids();
    const parameters = model.parameters();
    const loss = inScope("loss", () => reduceSum(model.forward(given)));
    const gradients = grad(loss, parameters);
    return {
      inputs: [given, ...parameters],
      outputs: Object.fromEntries(gradients.map((gradient, at) => [`d${at}`, gradient as Tensor])),
    };
  };

  test("are called by scope and operator, those of gradients by the operation whose gradient they are", () => {
    const { inputs, outputs } = trace();
    const names = nodeNames(outputs, inputs);
    expect(new Set(names).size).toBe(names.length);
    const numbered = (scope: string, operator: string) =>
      names.filter((name) => new RegExp(`^${scope.replaceAll(".", "\\.")}/${operator}_\\d+$`).test(name))
        .length;
    expect(numbered("loss.gpt.layers.0.attention.query", "gemm")).toBe(1);
    expect(numbered("grad:loss.gpt.layers.0.attention.query/gemm", "gemm")).toBe(2);
    expect(numbered("grad:loss.gpt.layers.1.norm/layerNorm", "columnSum")).toBeGreaterThan(1);
    expect(numbered("grad:loss.gpt.tokens/gather", "scatterAddRows")).toBeGreaterThan(0);
    expect(numbered("loss.gpt", "mul")).toBe(0); // the gradient needs no factor's product
  });

  test("of two traces of one model are the same bytes", () => {
    expect(encodeModel(trace())).toEqual(encodeModel(trace()));
  });

  test("are named in what ONNX Runtime refuses", () => {
    class Head extends Module {
      forward(x: Tensor): Tensor {
        return softmax(x);
      }
    }
    const x = input("x", "int32", [2, 3]);
    const y = new Head().forward(x);
    expect(() => new Program({ inputs: [x], outputs: { y } })).toThrow(/head\/softmax_0/);
  });
});
