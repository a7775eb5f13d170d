import { describe, expect, test } from "vitest";
import {
  add,
  arange,
  argmax,
  argmin,
  attention,
  attentionBias,
  broadcastTo,
  causalAttention,
  clip,
  concat,
  constant,
  crossEntropy,
  cumsum,
  dropoutMask,
  equal,
  erf,
  exp,
  floor,
  gather,
  gatherElements,
  geluExact,
  grad,
  greater,
  input,
  layerNorm,
  less,
  linear,
  logicalNot,
  matmul,
  maximum,
  mul,
  oneHot,
  pow,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reshape,
  rmsNorm,
  rotary,
  scatterAdd,
  shift,
  silu,
  slice,
  softmax,
  split,
  squeeze,
  stack,
  type Tensor,
  TensorError,
  transpose,
  unsqueeze,
  where,
} from "../../src/tensor/index.ts";

const x = (...shape: (number | string)[]) => input("x", "float32", shape);
const y = (...shape: (number | string)[]) => input("y", "float32", shape);
const sameX = input("x", "float32", [2]);
const sameX2 = input("x", "float32", [2, 3]);
const angle = input("angle", "float32", [1, 1, 1]);
const ids = (...shape: (number | string)[]) => input("ids", "int32", shape);

describe("shapes follow from shapes, symbols included", () => {
  const cases: [string, Tensor, (number | string)[]][] = [
    ["add broadcasts", add(x("b", 1, 3), y(4, 1)), ["b", 4, 3]],
    ["matmul", matmul(x("b", "t", 8), y(8, 2)), ["b", "t", 2]],
    [
      "matmul transposed",
      matmul(x("b", 8, "t"), y("b", 5, 8), { transposeA: true, transposeB: true }),
      ["b", "t", 5],
    ],
    ["linear over the last axis", linear(x("b", "t", 8), y(8, 3)), ["b", "t", 3]],
    ["reshape with one axis left open", reshape(x("b", 6), [-1, 2, 3]), ["b", 2, 3]],
    ["reshape merges symbols", reshape(x("b", "t", 4), [-1, 2]), ["2*b*t", 2]],
    ["transpose", transpose(x("b", 2, 3), [2, 0, 1]), [3, "b", 2]],
    ["gather", gather(x(10, 4), ids("b", "t")), ["b", "t", 4]],
    ["split", split(x("b", 6), 3, 1)[1] as Tensor, ["b", 2]],
    ["concat", concat([x("b", 2), y("b", 3)], 1), ["b", 5]],
    ["slice to a symbol", slice(x(128, 4), 0, 0, "t"), ["t", 4]],
    ["attention", causalAttention(x("b", 4, "t", 8), x("b", 4, "t", 8), y("b", 4, "t", 8)), ["b", 4, "t", 8]],
    [
      "attention, a key head for several query heads",
      attention(x("b", 2, 3, "t", 8), x("b", 2, 1, "t", 8), y("b", 2, 1, "t", 8), {
        bias: y("b", 1, 1, "t", "t"),
      }),
      ["b", 2, 3, "t", 8],
    ],
    ["attention's bias", attentionBias(ids("b", "t")), ["b", 1, "t", "t"]],
    ["arange", arange("t"), ["t"]],
    ["shift", shift(ids("b", "t"), 1), ["b", "t"]],
    ["rmsNorm", rmsNorm(x("b", "t", 8), y(8)), ["b", "t", 8]],
    ["rotary", rotary(x("b", 2, "t", 8), y(1, "t", 4), y(1, "t", 4)), ["b", 2, "t", 8]],
    ["cross-entropy", crossEntropy(x("n", 10), ids("n")), ["n"]],
    ["gather along an axis", gather(x("b", 10, 4), ids("n", 2), 1), ["b", "n", 2, 4]],
    ["gatherElements", gatherElements(x("b", 10), ids("b", 3), -1), ["b", 3]],
    ["where broadcasts all three", where(equal(x("b", 1), 0), y(1, 4), 1), ["b", 4]],
    ["mean, keeping axes", reduceMean(x("b", "t", 3), { axes: [1], keepDims: true }), ["b", 1, 3]],
    ["product", reduceProd(x("b", 2, 3), { axes: [-1, 1] }), ["b"]],
    ["argmax of an axis", argmax(x("b", 5, 3), { axis: 1 }), ["b", 3]],
    ["cumsum", cumsum(x("b", "t"), -1), ["b", "t"]],
    ["stack", stack([x("b", 3), y("b", 3)], 1), ["b", 2, 3]],
    ["squeeze all", squeeze(x(1, "b", 1)), ["b"]],
    ["unsqueeze at the end", unsqueeze(x("b"), -1), ["b", 1]],
    ["one-hot", oneHot(ids("b", "t"), 7), ["b", "t", 7]],
    ["sum", reduceSum(x("b", 2, 3), { axes: [0, -1] }), [2]],
  ];
  for (const [name, tensor, shape] of cases) test(name, () => expect(tensor.shape).toEqual(shape));
});

describe("a shape that does not fit is an error where it is made, naming operator and shapes", () => {
  const cases: Record<string, [() => unknown, RegExp]> = {
    add: [() => add(x(2, 3), y(4, 3)), /^add: shapes \(2, 3\) and \(4, 3\) do not broadcast \(2 against 4\)/],
    "add, symbols": [() => add(x("b"), y("t")), /add: shapes \(b\) and \(t\)/],
    "mul of dtypes": [
      () => mul(x(2), ids(2)),
      /^mul: x float32\(2\) and ids int32\(2\) have different dtypes/,
    ],
    linear: [() => linear(x(2, 3), y(4, 5)), /^linear: x float32\(2, 3\) times y float32\(4, 5\) do not fit/],
    matmul: [
      () => matmul(x(2, 3), y(4, 5), { transposeB: true }),
      /^matmul: .*\(2, 3\) times .*\(4, 5\) transposed do not fit/,
    ],
    reshape: [() => reshape(x(2, 3), [4]), /^reshape: \(2, 3\) does not have the elements of \(4\)/],
    "reshape, not even": [() => reshape(x(2, 3), [4, -1]), /^reshape/],
    transpose: [() => transpose(x(2, 3), [0, 0]), /^transpose: \[0, 0\] does not permute/],
    split: [() => split(x(2, 5), 3, 1), /^split: axis 1 of x float32\(2, 5\) does not divide into 3/],
    concat: [() => concat([x(2, 3), y(3, 3)], 1), /^concat along axis 1/],
    "slice beyond the end, of the whole length": [
      () => slice(x(5), 0, 2, 5),
      /^slice: 5 elements from 2 are not in axis 0/,
    ],
    "slice of a symbol from elsewhere": [() => slice(x("t", 4), 0, 1, "t"), /^slice: t elements from 1/],
    "slice from before the start": [() => slice(x(5), 0, -1, 3), /^slice: 3 elements from -1/],
    "a constant that its dtype cannot hold": [() => mul(ids(2), 0.5), /^constant: 0.5 is no int32/],
    "a gradient for something computed": [
      () => grad(reduceSum(exp(linear(sameX2, y(3, 4)))), [linear(sameX2, y(3, 4))]),
      /^grad: float32\(2, 4\) is computed/,
    ],
    "a second derivative through a by-product": [
      () => {
        const [first] = grad(reduceSum(layerNorm(sameX2, y(3), y(3))), [sameX2]);
        return grad(reduceSum(mul(first as Tensor, first as Tensor)), [sameX2]);
      },
      /^grad: output \d of "layerNorm" serves its gradient/,
    ],
    slice: [() => slice(x(4), 0, 2, 3), /^slice: \[2, 5\) is outside axis 0/],
    broadcastTo: [() => broadcastTo(x(2, 3), [2, 4]), /^broadcastTo/],
    layerNorm: [() => layerNorm(x(2, 3), y(4), y(3)), /^layerNorm/],
    gather: [() => gather(x(10, 4), y(2)), /^gather: needs a tensor and int32 ids; got x/],
    crossEntropy: [() => crossEntropy(x(4, 5), ids(3)), /^crossEntropy/],
    attention: [() => causalAttention(x(1, 4, 8), x(1, 5, 8), y(1, 4, 8)), /^causalAttention/],
    "attention of more key heads than query heads": [
      () => attention(x(2, 1, 4, 8), x(2, 2, 4, 8), x(2, 2, 4, 8)),
      /^attention: query, key and value need one shape .* got x float32\(2, 1, 4, 8\), x float32\(2, 2, 4, 8\)/,
    ],
    "attention of other dropout": [
      () => attention(x(2, 4, 8), x(2, 4, 8), x(2, 4, 8), { dropout: y(1, 4, 4) }),
      /^attention: .*dropout \(…, T, T\); got/,
    ],
    "attention with a bias for more rows": [
      () => attention(x(1, 4, 8), x(1, 4, 8), x(1, 4, 8), { bias: y(2, 4, 4) }),
      /^attention: .*bias what spreads over \(…, T, T\); got/,
    ],
    "attention with a head size that is free": [
      () => attention(x(1, 4, "d"), x(1, 4, "d"), x(1, 4, "d")),
      /^attention: the head size must be a number/,
    ],
    "attention's bias of a mask that is none": [
      () => attentionBias(x(2, 4)),
      /^attentionBias: needs an int32 mask \(B, T\); got x float32\(2, 4\)/,
    ],
    rmsNorm: [
      () => rmsNorm(x(2, 3), y(4)),
      /^rmsNorm: x x float32\(2, 3\) and weight y float32\(4\) do not fit/,
    ],
    "rotary of an odd size": [
      () => rotary(x(2, 1, 4, 3), y(1, 4, 1), y(1, 4, 1)),
      /^rotary: needs x \(B, H, T, D\) with an even number D/,
    ],
    "rotary by the angles of other positions": [
      () => rotary(x(2, 1, 4, 2), y(1, 4, 1), y(1, 5, 1)),
      /^rotary: .* got x float32\(2, 1, 4, 2\), y float32\(1, 4, 1\), y float32\(1, 5, 1\)/,
    ],
    "rotary by the angles of other rows": [() => rotary(x(2, 1, 4, 2), y(3, 4, 1), y(3, 4, 1)), /^rotary/],
    "a gradient for angles": [
      () => grad(reduceSum(rotary(constant([1, 2], "float32", [1, 1, 1, 2]), angle, angle)), [angle]),
      /^rotary: there is no gradient for the angles/,
    ],
    shift: [() => shift(ids(2, 3), -1), /^shift: .* 0 or more; got ids int32\(2, 3\) and -1/],
    "geluExact of integers": [() => geluExact(ids(2)), /^geluExact: needs a real dtype; got ids int32\(2\)/],
    "erf of integers": [() => erf(ids(2)), /^erf: needs a real dtype/],
    "silu of integers": [() => silu(ids(2)), /^silu: needs a real dtype/],
    axis: [
      () => reduceSum(x(2, 3), { axes: [2] }),
      /^reduceSum: axis 2 does not exist in a tensor of rank 2/,
    ],
    constant: [() => constant([1, 2, 3], "float32", [2]), /^constant: 3 values do not fill shape \(2\)/],
    "dropout's probability": [() => dropoutMask([2, 2], 1, [ids(), ids()], 0), /between 0 and 1; got 1/],
    "a loss with a shape": [
      () => grad(x(2), []),
      /^grad: the loss must be a scalar, shape \(\); got x float32\(2\)/,
    ],
    "an operator without gradient": [
      () => grad(reduceSum(floor(sameX)), [sameX]),
      /^grad: "floor" has no gradient/,
    ],
    maximum: [() => maximum(x(2, 3), y(4)), /^maximum: shapes \(2, 3\) and \(4\) do not broadcast/],
    "a comparison of dtypes": [() => less(x(2), ids(2)), /^less: x float32\(2\) and ids int32\(2\) have/],
    "an order of truth values": [
      () => greater(equal(x(2), 0), equal(x(2), 1)),
      /^greater: truth values have no order; got bool\(2\)/,
    ],
    "two numbers": [() => pow(2, 3), /^pow: at least one operand must be a tensor; got 2 and 3/],
    "pow of integers": [() => pow(ids(2), 2), /^pow: needs a real dtype; got ids int32\(2\)/],
    "logic of numbers": [() => logicalNot(x(2)), /^logicalNot: needs truth values; got x float32\(2\)/],
    "where without truth values": [
      () => where(x(2), 1, x(2)),
      /^where: the condition must be truth values; got x/,
    ],
    "where of shapes": [
      () => where(equal(x(2, 3), 0), x(4), 1),
      /^where: shapes \(2, 3\) and \(4\) do not broadcast/,
    ],
    "clip between bounds that cross": [() => clip(x(2), { min: 1, max: 0 }), /^clip: .* got min 1 and max 0/],
    "clip without bounds": [() => clip(x(2), {}), /^clip: needs a min, a max, or both/],
    "an axis named twice": [
      () => reduceSum(x(2, 3), { axes: [0, -2] }),
      /^reduceSum: the axes \[0, -2\] name one axis twice/,
    ],
    "a mean of nothing": [() => reduceMean(x(2, 0)), /^reduceMean: there is no mean of no elements, in x/],
    "a mean of integers": [() => reduceMean(ids(2)), /^reduceMean: needs a real dtype; got ids int32\(2\)/],
    "a maximum of nothing": [
      () => reduceMax(x(2, 0), { axes: [1] }),
      /^reduceMax: there is none of no elements, in x float32\(2, 0\)/,
    ],
    "a maximum of truth values": [() => reduceMin(equal(x(2), 0)), /^reduceMin: truth values have no order/],
    "the place of nothing": [() => argmin(x(2, 0)), /^argmin: axis 1 of x float32\(2, 0\) has no element/],
    "cumsum of truth values": [() => cumsum(equal(x(2), 0), 0), /^cumsum: needs real numbers or signed/],
    gatherElements: [
      () => gatherElements(x(2, 3), ids(3, 3), 1),
      /^gatherElements: needs int32 indices .* axis 1; got x float32\(2, 3\) and ids int32\(3, 3\)/,
    ],
    scatterAdd: [
      () => scatterAdd(x(2, 3), 1, ids(2, 4), y(2, 5)),
      /^scatterAdd: needs updates .* got x float32\(2, 3\), ids int32\(2, 4\), y float32\(2, 5\)/,
    ],
    squeeze: [() => squeeze(x(1, 3), [1]), /^squeeze: axis 1 of x float32\(1, 3\) has the length 3, not 1/],
    stack: [
      () => stack([x(2), y(3)]),
      /^stack: x float32\(2\), y float32\(3\) do not have one dtype and shape/,
    ],
    "a negative length": [() => x(-1), /integers of 0 or more/],
  };
  for (const [name, [build, message]] of Object.entries(cases)) {
    test(name, () => {
      expect(build).toThrow(TensorError);
      expect(build).toThrow(message);
    });
  }
});

test("a reshape of a reshape is one, and one to the same shape is none", () => {
  const tensor = x(2, 6);
  expect(reshape(reshape(tensor, [3, 4]), [2, 6])).toBe(tensor);
});

test("softmax along the last axis keeps the shape", () => expect(softmax(x("b", 3)).shape).toEqual(["b", 3]));
