import { expect, test } from "vitest";
import { Linear, Module } from "../../src/nn/index.ts";

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
