/** What of a training step an operation is for. */
export type ProfilePhase = "forward" | "backward" | "recomputation" | "update" | "library";

/** Which part of a model an operation of the traced graph belongs to, and what it is part of. */
export interface ProfilePlace {
  readonly phase: ProfilePhase;
  /** Path of the module: `transformer.h.3.attn`; of the rest the scope it was traced in: `loss`, `optimizer`. */
  readonly part: string;
  /** The operator; of a gradient, the one whose gradient it is. */
  readonly operator: string;
}

/** What the library put into the graph by itself, and named after nothing of ours. */
const MADE_BY_LIBRARY = "(made by the library)";
const WITHOUT_PART = "(no part)";

/** Scopes outside of models that belong to the update. */
const updateScopes = ["optimizer", "gradient norm", "gradient sum"];

/**
 * Takes a place (see `placeOf`) apart.
 *
 * @param kernel the library's operator, for what has no place.
 */
export function readPlace(place: string | undefined, kernel: string): ProfilePlace {
  if (place === undefined)
    return { phase: "library", part: MADE_BY_LIBRARY, operator: `(library) ${kernel}` };
  const [, prefix, rest = ""] = /^(grad:|again:)?(.*)$/s.exec(place) ?? [];
  const names = rest.split("/");
  const last = names.pop() ?? "";
  // In `grad:<part>/<operator>/<what its gradient is made of>`, as often as gradients are in one another.
  const operator = prefix === "grad:" ? (names.pop() ?? last) : last;
  const part = names.join("/") || WITHOUT_PART;
  const phase =
    prefix === "grad:"
      ? "backward"
      : prefix === "again:"
        ? "recomputation"
        : updateScopes.includes(part)
          ? "update"
          : "forward";
  return { phase, part, operator };
}

/** The layers of a model in one: `h.3.attn` becomes `h.*.attn`. */
export function foldLayers(part: string): string {
  return part.replaceAll(/\.\d+(?=\.|$)/g, ".*");
}

/** Cuts off the model's own name, where all paths begin with it. */
export function withoutRoot(parts: Iterable<string>): (part: string) => string {
  const roots = new Set([...parts].filter((part) => part.includes(".")).map((part) => part.split(".")[0]));
  const [root] = roots;
  return (part) =>
    roots.size === 1 && part.startsWith(`${root}.`) ? part.slice((root as string).length + 1) : part;
}
