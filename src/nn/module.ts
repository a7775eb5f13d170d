import { currentScope, inScope } from "../tensor/index.ts";
import { Parameter } from "./parameter.ts";

/**
 * A part of a model that owns parameters, other modules, and arrays of modules in its fields.
 *
 * While `forward` runs, operations and errors carry the path of the fields that lead to the module, from the class of the
 * outermost one: `gpt.layers.3.attention.query`. Its author does nothing for it.
 *
 * @example
 * class Mlp extends Module {
 *   readonly up: Linear; readonly down: Linear;
 *   constructor(size: number) { super(); this.up = new Linear(size, 4 * size); this.down = new Linear(4 * size, size); }
 *   forward(x: Tensor): Tensor { return this.down.forward(gelu(this.up.forward(x))); }   // (B, T, C)
 * }
 */
export abstract class Module {
  #parameters: readonly Parameter[] | undefined;

  constructor() {
    if (typeof Reflect.get(this, "forward") !== "function") return;
    // On the object and not on its class, so that `super.forward` stays what it is; not enumerable, so that it is no field.
    Object.defineProperty(this, "forward", {
      configurable: true,
      writable: true,
      value: (...inputs: unknown[]): unknown => {
        const forward: unknown = Reflect.get(Object.getPrototypeOf(this), "forward");
        return inScope(pathOf(this), () =>
          (forward as (...inputs: unknown[]) => unknown).apply(this, inputs),
        );
      },
    });
  }

  /**
   * Every parameter once, named by the path of fields that leads to it (`h.0.mlp.up.weight`), in the order of the fields.
   * A parameter that is used in two places has the name of the first.
   */
  parameters(): readonly Parameter[] {
    if (this.#parameters === undefined) {
      const found = new Set<Parameter>();
      for (const [path, part] of walk(this, "")) {
        if (!(part instanceof Parameter) || found.has(part)) continue;
        // Asking a part for its parameters must not rename those of the whole: the longest path holds.
        if (!part.name.endsWith(`.${path}`)) part.name = path;
        found.add(part);
      }
      this.#parameters = [...found];
    }
    return this.#parameters;
  }
}

/** Every module and parameter that fields lead to, by each way to it that does not turn back (a part may know its owner). */
function* walk(
  value: unknown,
  path: string,
  above: readonly unknown[] = [],
): Generator<[string, Module | Parameter]> {
  if (above.includes(value)) return;
  if (value instanceof Parameter || value instanceof Module) yield [path, value];
  if (value instanceof Module || Array.isArray(value))
    for (const [field, part] of Object.entries(value))
      yield* walk(part, path === "" ? field : `${path}.${field}`, [...above, value]);
}

/** Paths of the modules of the model that is being traced. */
let paths = new WeakMap<Module, string>();

function pathOf(module: Module): string {
  const around = currentScope();
  const known = around === "" ? undefined : paths.get(module);
  if (known !== undefined) return known;
  // The outermost module, or one that is no field of those around it.
  if (around === "") paths = new WeakMap();
  const root = around === "" ? instanceName(module) : `${around}.${instanceName(module)}`;
  for (const [path, part] of walk(module, "")) {
    if (part instanceof Parameter) part.name ||= path;
    else if (!paths.has(part)) paths.set(part, path === "" ? root : `${root}.${path}`);
  }
  return root;
}

/** What one would call the only object of a class: `Gpt` and `GPT` give `gpt`, `GPT2LMHeadModel` gives `gpt2LMHeadModel`. */
function instanceName({ constructor: { name } }: Module): string {
  // Bundlers number classes of one name: `Attention$1`.
  const [word = ""] = name.split("$");
  return word.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (start) => start.toLowerCase()) || "model";
}
