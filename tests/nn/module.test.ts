import { expect, test } from "vitest";
import { Linear, Module, Sequential } from "../../src/nn/index.ts";
import { constant, gelu, type Tensor } from "../../src/tensor/index.ts";

class Part extends Module {
  readonly up = new Linear(2, 3);
  readonly downs = [new Linear(3, 2), new Linear(3, 2, { bias: false })];
}

class Whole extends Module {
  readonly part = new Part();
  readonly tied = this.part.up;
}

const names = (module: Module) => module.parameters().map(({ name }) => name);

test("parameters are named by the fields that lead to them, once, in order", () => {
  expect(names(new Whole())).toEqual([
    "part.up.weight",
    "part.up.bias",
    "part.downs.0.weight",
    "part.downs.0.bias",
    "part.downs.1.weight",
  ]);
});

test("asking a part first or later does not change the names of the whole", () => {
  const later = new Whole();
  const expected = names(later);
  later.part.parameters();
  expect(names(later)).toEqual(expected);
  const first = new Whole();
  first.part.parameters();
  expect(names(first)).toEqual(expected);
});

class Stacked extends Module {
  readonly mlp = new Sequential(new Linear(2, 3), gelu, new Linear(3, 1, { bias: false }));
  forward(x: Tensor): Tensor {
    return this.mlp.forward(x);
  }
}

test("a sequence runs its parts in order and names parameters by their places", () => {
  const model = new Stacked();
  expect(names(model)).toEqual(["mlp.0.weight", "mlp.0.bias", "mlp.2.weight"]);
  const x = constant([1, 2], "float32", [1, 2]);
  const y = model.forward(x);
  expect(y.shape).toEqual([1, 1]);
  const scopes: string[] = [];
  for (let at = y; at.source.kind === "operation"; at = at.source.operation.inputs[0] as Tensor)
    scopes.unshift(`${at.source.operation.scope}/${at.source.operation.operator.name}`);
  expect(scopes).toEqual(["stacked.mlp.0/gemm", "stacked.mlp/gelu", "stacked.mlp.2/gemm"]);
  expect(() => new Sequential(new Linear(2, 3), new Linear(2, 3)).forward(x)).toThrow(
    /^linear: [\s\S]*\n {4}in sequential\.1\n/,
  );
});
