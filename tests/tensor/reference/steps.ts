import * as our from "../../../src/tensor/index.ts";
import { type Grid, reduce, size, spread } from "./array.ts";
import * as their from "./operators.ts";
import { type Node, pointwise, type Step, type StepContext } from "./step.ts";

/** Values up to this many additions or multiplications of quarters from −2 to 2 are exact in float32 too. */
const EXACT = 2;

type Test = (node: Node) => boolean;

function one({ nodes, pick }: StepContext, test: Test = () => true): Node | undefined {
  const fitting = nodes.filter(test);
  return fitting.length === 0 ? undefined : pick(fitting);
}

const rankOf = ({ grid }: Node) => grid.shape.length;
const values = ({ grid }: Node) => grid.cells.map(({ value }) => value);
const within = (low: number, high: number): Test => {
  return (node) => values(node).every((value) => value >= low && value <= high);
};
const exact: Test = ({ depth }) => depth <= EXACT;
const hasElements: Test = ({ grid }) => size(grid.shape) > 0;
const ranks = (least: number): Test => {
  return (node) => rankOf(node) >= least;
};
const both = (...tests: Test[]): Test => {
  return (node) => tests.every((test) => test(node));
};
const lengthOf = (node: Node, axis: number) => node.grid.shape[axis] as number;

/** Our operators of one argument that have a curve in the reference, and where they are compared. */
const unary: Record<keyof typeof their.curves, readonly [(x: our.Tensor) => our.Tensor, Test]> = {
  exp: [our.exp, within(-6, 3)],
  log: [our.log, within(0.1, 1e3)],
  sqrt: [our.sqrt, within(0.1, 1e3)],
  sin: [our.sin, within(-20, 20)],
  cos: [our.cos, within(-20, 20)],
  tanh: [our.tanh, within(-20, 20)],
  sigmoid: [our.sigmoid, within(-20, 20)],
  softplus: [our.softplus, within(-20, 20)],
  silu: [our.silu, within(-20, 20)],
  erf: [our.erf, within(-3, 3)],
  geluExact: [our.geluExact, within(-3, 3)],
  gelu: [our.gelu, within(-20, 20)],
  abs: [our.abs, exact],
  relu: [our.relu, exact],
  clip: [(x) => our.clip(x, { min: -0.5, max: 1 }), exact],
};

function curve(name: keyof typeof their.curves): Step {
  const [of, test] = unary[name];
  const [value, slope] = their.curves[name];
  return (context) => {
    // In float64 they are series of 130 terms, which would be most of every session; gradients.test.ts checks those.
    if ((name === "erf" || name === "geluExact") && context.dtype === "float64") return undefined;
    const x = one(context, test);
    const isKinked = test === exact;
    return (
      x &&
      pointwise(
        [x],
        of,
        (cell) => context.tape.map(cell, value, slope),
        isKinked ? x.depth : Number.POSITIVE_INFINITY,
      )
    );
  };
}

/** Two values whose shapes spread over each other. */
function pair(context: StepContext, test: Test = () => true, second: Test = test): [Node, Node] | undefined {
  const a = one(context, test);
  const b =
    a &&
    one(
      context,
      both(second, ({ grid }) => spread(a.grid.shape, grid.shape) !== undefined),
    );
  return a && b && [a, b];
}

type TapeRule = "add" | "sub" | "mul" | "div" | "pow";

function binary(
  of: (a: our.Tensor, b: our.Tensor) => our.Tensor,
  rule: TapeRule,
  first?: Test,
  second?: Test,
): Step {
  return (context) => {
    const found = pair(context, first, second);
    if (found === undefined) return undefined;
    const exactly = rule === "add" || rule === "sub" || rule === "mul";
    const depth = exactly ? 1 + Math.max(found[0].depth, found[1].depth) : Number.POSITIVE_INFINITY;
    return pointwise(found, of, (a, b) => context.tape[rule](a as never, b as never), depth);
  };
}

function extreme(of: (a: our.Tensor, b: our.Tensor) => our.Tensor, sign: 1 | -1): Step {
  return (context) => {
    const found = pair(context, exact);
    if (found === undefined) return undefined;
    const [a, b] = found;
    return pointwise([a, b], of, (...cells) => context.tape.extreme(cells, sign), Math.max(a.depth, b.depth));
  };
}

/** Some of the axes of a value, maybe none. */
function someAxes({ choose }: StepContext, x: Node): number[] {
  return x.grid.shape.flatMap((_length, axis) => (choose(2) === 0 ? [axis] : []));
}

function reduction(
  of: (x: our.Tensor, options: our.ReduceOptions) => our.Tensor,
  rule: (context: StepContext) => Parameters<typeof reduce>[3],
  test: Test = () => true,
): Step {
  return (context) => {
    const x = one(context, test);
    if (x === undefined) return undefined;
    const axes = someAxes(context, x);
    if (axes.length === 0) return undefined;
    const keepDims = context.choose(2) === 0;
    return {
      tensor: of(x.tensor, { axes: axes.map((axis) => (keepDims ? axis : axis - rankOf(x))), keepDims }),
      grid: reduce(x.grid, axes, keepDims, rule(context)),
      depth: Number.POSITIVE_INFINITY,
    };
  };
}

/** A value with a rank of at least one, and one of its axes. */
function alongAxis(
  make: (context: StepContext, x: Node, axis: number) => Node | readonly Node[] | undefined,
  test: Test = () => true,
): Step {
  return (context) => {
    const x = one(context, both(ranks(1), test));
    return x && make(context, x, context.choose(rankOf(x)));
  };
}

const inexact = (tensor: our.Tensor, grid: Grid): Node => ({ tensor, grid, depth: Number.POSITIVE_INFINITY });

/** Integers below `below` in a shape. */
function draw({ choose }: StepContext, shape: readonly number[], below: number): number[] {
  return Array.from({ length: size(shape) }, (_, at) => (choose(1009) + at * choose(7)) % below);
}

const ints = (data: readonly number[], shape: readonly number[]) => our.constant([...data], "int32", shape);

/** Vectors of the length of the last axis: sums of the value itself over all others. */
function vectorOf({ tape }: StepContext, x: Node): Node {
  const axes = [...Array(rankOf(x) - 1).keys()];
  return inexact(
    our.reduceSum(x.tensor, { axes }),
    axes.length === 0 ? x.grid : reduce(x.grid, axes, false, (cells) => tape.sum(cells)),
  );
}

/** Every operator with what it is compared with. */
export const steps: Readonly<Record<string, Step>> = {
  ...Object.fromEntries(
    (Object.keys(their.curves) as (keyof typeof their.curves)[]).map((name) => [name, curve(name)]),
  ),
  add: binary(our.add, "add"),
  sub: binary(our.sub, "sub"),
  mul: binary(our.mul, "mul"),
  div: binary(our.div, "div", undefined, (node) => values(node).every((value) => Math.abs(value) >= 0.25)),
  pow: binary(our.pow, "pow", within(0.25, 3), within(-3, 3)),
  maximum: extreme(our.maximum, 1),
  minimum: extreme(our.minimum, -1),
  where: (context) => {
    const compared = pair(context, exact);
    const taken = compared && pair(context);
    if (compared === undefined || taken === undefined) return undefined;
    const all = [...compared, ...taken];
    if (spread(...all.map(({ grid }) => grid.shape)) === undefined) return undefined;
    const [of, holds] = context.pick([
      [our.greater, (a: number, b: number) => a > b],
      [our.lessEqual, (a: number, b: number) => a <= b],
      [our.equal, (a: number, b: number) => a === b],
    ] as const);
    return pointwise(
      all,
      (a, b, x, y) => our.where(of(a as our.Tensor, b as our.Tensor), x as our.Tensor, y as our.Tensor),
      (a, b, x, y) =>
        context.tape.scaled(holds(a?.value as number, b?.value as number) ? (x as never) : (y as never), 1),
      Math.max(...taken.map(({ depth }) => depth)),
    );
  },

  reduceSum: reduction(
    our.reduceSum,
    ({ tape }) =>
      (cells) =>
        tape.sum(cells),
  ),
  reduceMean: reduction(
    our.reduceMean,
    ({ tape }) =>
      (cells) =>
        tape.scaled(tape.sum(cells), 1 / cells.length),
    hasElements,
  ),
  reduceProd: reduction(
    our.reduceProd,
    ({ tape }) =>
      (cells) =>
        tape.product(cells),
    exact,
  ),
  reduceMax: reduction(
    our.reduceMax,
    ({ tape }) =>
      (cells) =>
        tape.extreme(cells, 1),
    both(exact, hasElements),
  ),
  reduceMin: reduction(
    our.reduceMin,
    ({ tape }) =>
      (cells) =>
        tape.extreme(cells, -1),
    both(exact, hasElements),
  ),
  logSumExp: (context) => {
    const x = one(context, both(ranks(1), hasElements));
    return (
      x &&
      inexact(
        our.logSumExp(x.tensor),
        reduce(x.grid, [rankOf(x) - 1], true, (cells) => their.logSumExp(context.tape, cells)),
      )
    );
  },
  softmax: alongAxis(
    ({ tape }, x, axis) => inexact(our.softmax(x.tensor, axis), their.softmax(tape, x.grid, axis)),
    hasElements,
  ),
  logSoftmax: (context) => {
    const x = one(context, both(ranks(1), hasElements));
    if (x === undefined) return undefined;
    const sums = reduce(x.grid, [rankOf(x) - 1], true, (cells) => their.logSumExp(context.tape, cells));
    return inexact(
      our.logSoftmax(x.tensor),
      their.elementwise([x.grid, sums], (a, b) => context.tape.sub(a, b)),
    );
  },
  cumsum: alongAxis(({ tape, choose }, x, axis) => {
    const [exclusive, reverse] = [choose(2) === 0, choose(2) === 0];
    return inexact(
      our.cumsum(x.tensor, axis - rankOf(x), { exclusive, reverse }),
      their.cumsum(tape, x.grid, axis, exclusive, reverse),
    );
  }),

  reshape: (context) => {
    const x = one(context);
    if (x === undefined) return undefined;
    const { shape } = x.grid;
    const shapes = [
      [size(shape)],
      [...shape, 1],
      [1, size(shape), 1],
      [...shape].reverse(),
      [shape.slice(0, -1).reduce((a, b) => a * b, 1), shape.at(-1) ?? 1],
    ];
    const target = context.pick(shapes);
    return { tensor: our.reshape(x.tensor, target), grid: { ...x.grid, shape: target }, depth: x.depth };
  },
  transpose: (context) => {
    const x = one(context, ranks(2));
    if (x === undefined) return undefined;
    const turn = 1 + context.choose(rankOf(x) - 1);
    const axes = [...Array(rankOf(x)).keys()];
    const permutation =
      context.choose(2) === 0 ? axes.reverse() : [...axes.slice(turn), ...axes.slice(0, turn)];
    return {
      tensor: our.transpose(x.tensor, permutation),
      grid: their.transpose(x.grid, permutation),
      depth: x.depth,
    };
  },
  broadcastTo: (context) => {
    const x = one(context);
    if (x === undefined) return undefined;
    const shape = [2, ...x.grid.shape.map((length) => (length === 1 ? 3 : length))];
    const target: Grid = { shape, cells: Array(size(shape)).fill(context.tape.make(0)) };
    return {
      tensor: our.broadcastTo(x.tensor, shape),
      grid: their.elementwise([x.grid, target], (cell) => cell),
      depth: x.depth,
    };
  },
  unsqueeze: (context) => {
    const x = one(context, (node) => rankOf(node) < 4);
    if (x === undefined) return undefined;
    const axis = context.choose(rankOf(x) + 1);
    return {
      tensor: our.unsqueeze(x.tensor, axis),
      grid: { ...x.grid, shape: x.grid.shape.toSpliced(axis, 0, 1) },
      depth: x.depth,
    };
  },
  squeeze: (context) => {
    const x = one(context);
    return (
      x && {
        tensor: our.squeeze(x.tensor),
        grid: { ...x.grid, shape: x.grid.shape.filter((length) => length !== 1) },
        depth: x.depth,
      }
    );
  },
  slice: alongAxis(({ choose }, x, axis) => {
    const start = choose(lengthOf(x, axis) + 1);
    const length = choose(lengthOf(x, axis) - start + 1);
    if (start > 0 && length === lengthOf(x, axis)) return undefined;
    return {
      tensor: our.slice(x.tensor, axis, start, length),
      grid: their.slice(x.grid, axis, start, length),
      depth: x.depth,
    };
  }),
  concat: alongAxis((context, x, axis) => {
    const others = (node: Node) => String(node.grid.shape.with(axis, 0));
    const y = one(context, (node) => rankOf(node) === rankOf(x) && others(node) === others(x)) as Node;
    return {
      tensor: our.concat([x.tensor, y.tensor, x.tensor], axis),
      grid: their.concat([x.grid, y.grid, x.grid], axis),
      depth: Math.max(x.depth, y.depth),
    };
  }),
  stack: (context) => {
    const x = one(context, (node) => rankOf(node) < 4);
    const y = x && one(context, (node) => String(node.grid.shape) === String(x.grid.shape));
    if (x === undefined || y === undefined) return undefined;
    const axis = context.choose(rankOf(x) + 1);
    const raised = ({ grid }: Node): Grid => ({ ...grid, shape: grid.shape.toSpliced(axis, 0, 1) });
    return {
      tensor: our.stack([x.tensor, y.tensor], axis),
      grid: their.concat([raised(x), raised(y)], axis),
      depth: Math.max(x.depth, y.depth),
    };
  },
  split: alongAxis(({ choose }, x, axis) => {
    const first = choose(lengthOf(x, axis) + 1);
    const sizes = [first, lengthOf(x, axis) - first];
    return our.splitInto(x.tensor, sizes, axis).map((tensor, part) => ({
      tensor,
      grid: their.slice(x.grid, axis, part === 0 ? 0 : first, sizes[part] as number),
      depth: x.depth,
    }));
  }),
  gather: alongAxis((context, x, axis) => {
    const ids = draw(context, [1 + context.choose(4)], lengthOf(x, axis));
    return {
      tensor: our.gather(x.tensor, ints(ids, [ids.length]), axis),
      grid: their.gather(x.grid, ids, axis),
      depth: x.depth,
    };
  }, hasElements),
  gatherElements: alongAxis((context, x, axis) => {
    const shape = x.grid.shape.with(axis, 1 + context.choose(3));
    const chosen = draw(context, shape, lengthOf(x, axis));
    return {
      tensor: our.gatherElements(x.tensor, ints(chosen, shape), axis),
      grid: their.gatherElements(x.grid, chosen, shape, axis),
      depth: x.depth,
    };
  }, hasElements),
  scatterAdd: alongAxis((context, x, axis) => {
    const updates = one(context, (node) => String(node.grid.shape) === String(x.grid.shape)) as Node;
    const chosen = draw(context, x.grid.shape, lengthOf(x, axis));
    return inexact(
      our.scatterAdd(x.tensor, axis, ints(chosen, x.grid.shape), updates.tensor),
      their.scatterAdd(context.tape, x.grid, chosen, updates.grid, axis),
    );
  }, hasElements),
  "gather of the largest": alongAxis(
    (_context, x, axis) => {
      const largest = our.argmax(x.tensor, { axis, keepDims: true });
      const shape = x.grid.shape.with(axis, 1);
      const chosen = their.argmax(x.grid, axis);
      return {
        tensor: our.gatherElements(x.tensor, largest, axis),
        grid: their.gatherElements(x.grid, chosen, shape, axis),
        depth: x.depth,
      };
    },
    both(exact, hasElements),
  ),

  matmul: (context) => {
    const a = one(context, ranks(2));
    const inner = a?.grid.shape.at(-1);
    const batch = (node: Node) => node.grid.shape.slice(0, -2);
    const fits = (axis: number): Test =>
      both(
        ranks(2),
        (node) => node.grid.shape.at(axis) === inner && spread(batch(node), batch(a as Node)) !== undefined,
      );
    const transposed = context.choose(2) === 0;
    const b = a && one(context, fits(transposed ? -1 : -2));
    if (a === undefined || b === undefined) return undefined;
    return inexact(
      our.matmul(a.tensor, b.tensor, { transposeB: transposed, scale: 0.5 }),
      their.matmul(context.tape, a.grid, b.grid, 0.5, transposed),
    );
  },
  linear: (context) => {
    const x = one(context, ranks(1));
    const w = x && one(context, (node) => rankOf(node) === 2 && lengthOf(node, 1) === x.grid.shape.at(-1));
    if (x === undefined || w === undefined) return undefined;
    const bias = one(context, (node) => rankOf(node) === 1 && lengthOf(node, 0) === lengthOf(w, 0));
    const { tape } = context;
    const product = their.matmul(tape, { ...x.grid, shape: [1, ...x.grid.shape] }, w.grid, 1, true);
    const shape = [...x.grid.shape.slice(0, -1), lengthOf(w, 0)];
    const sum = bias ? their.elementwise([product, bias.grid], (a, b) => tape.add(a, b)) : product;
    return inexact(our.linear(x.tensor, w.tensor, bias?.tensor, { transposed: true }), { ...sum, shape });
  },
  layerNorm: (context) => {
    const x = one(context, both(ranks(1), hasElements));
    if (x === undefined) return undefined;
    const weight = vectorOf(context, x);
    return inexact(
      our.layerNorm(x.tensor, weight.tensor, weight.tensor, 0.5),
      their.norm(context.tape, x.grid, weight.grid, weight.grid, 0.5),
    );
  },
  rmsNorm: (context) => {
    const x = one(context, both(ranks(1), hasElements));
    if (x === undefined) return undefined;
    const weight = vectorOf(context, x);
    return inexact(
      our.rmsNorm(x.tensor, weight.tensor, 0.5),
      their.norm(context.tape, x.grid, weight.grid, undefined, 0.5),
    );
  },
  attention: (context) => {
    // Heads of 1 or 4, whose roots every dtype holds: the scale is a float32 attribute of ONNX Runtime's kernel.
    const x = one(
      context,
      both(ranks(3), hasElements, within(-5, 5), ({ grid }) => [1, 4].includes(grid.shape.at(-1) as number)),
    );
    if (x === undefined) return undefined;
    const causal = context.choose(2) === 0;
    const of = causal ? our.causalAttention : our.attention;
    return inexact(of(x.tensor, x.tensor, x.tensor), their.selfAttention(context.tape, x.grid, causal));
  },
  crossEntropy: (context) => {
    const x = one(context, (node) => rankOf(node) === 2 && hasElements(node));
    if (x === undefined) return undefined;
    const labels = draw(context, [lengthOf(x, 0)], lengthOf(x, 1));
    return inexact(
      our.crossEntropy(x.tensor, ints(labels, [labels.length])),
      their.crossEntropy(context.tape, x.grid, labels),
    );
  },
};
