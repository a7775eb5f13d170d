import { Parameter } from "./parameter.ts";

/**
 * A part of a model that owns parameters, other modules, and arrays of modules in its fields.
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

  /**
   * Every parameter once, named by the path of fields that leads to it (`h.0.mlp.up.weight`), in the order of the fields.
   * A parameter that is used in two places has the name of the first.
   */
  parameters(): readonly Parameter[] {
    if (this.#parameters === undefined) {
      const found = new Set<Parameter>();
      for (const [path, parameter] of walk(this, "")) {
        if (found.has(parameter)) continue;
        // Asking a part for its parameters must not rename those of the whole: the longest path holds.
        if (!parameter.name.endsWith(`.${path}`)) parameter.name = path;
        found.add(parameter);
      }
      this.#parameters = [...found];
    }
    return this.#parameters;
  }
}

function* walk(value: unknown, path: string): Generator<[string, Parameter]> {
  if (value instanceof Parameter) yield [path, value];
  else if (value instanceof Module || Array.isArray(value))
    for (const [field, part] of Object.entries(value))
      yield* walk(part, path === "" ? field : `${path}.${field}`);
}
