import type { ProgramProfile } from "../runtime/index.ts";
import {
  foldLayers,
  type ProfilePhase,
  type ProfilePlace,
  readPlace,
  withoutRoot,
} from "./profile-places.ts";

/** Milliseconds of a step by what they are for. */
export type PhaseTimes = Readonly<Record<ProfilePhase, number>>;

/** Where the time of a step went: to a part of the model, or to an operator. */
export interface ProfileRow extends PhaseTimes {
  readonly name: string;
  /** Of a part: how many layers are folded into it. Of an operator: how often it stands in the graphs of a step. */
  readonly count: number;
  /** A step, all phases together. */
  readonly milliseconds: number;
  /** Of the step, in [0, 1]. */
  readonly share: number;
  /** Products of matrices a step, in GFLOP. */
  readonly gigaflops: number;
}

/** One node of a graph: a kernel of the library. */
export interface ProfileNode extends ProfilePlace {
  readonly name: string;
  readonly kernel: string;
  /** A step. */
  readonly calls: number;
  readonly milliseconds: number;
}

/** What nodes took in a step, from all sides. */
export interface NodeReport {
  readonly phases: PhaseTimes;
  /** Layers folded, longest first. */
  readonly parts: readonly ProfileRow[];
  /** Each layer by itself. */
  readonly layers: readonly ProfileRow[];
  readonly operators: readonly ProfileRow[];
  readonly nodes: readonly ProfileNode[];
  /** Floating-point operations a step in products of matrices. */
  readonly flops: number;
  /** Without what was computed again to save memory. */
  readonly modelFlops: number;
}

const none: PhaseTimes = { forward: 0, backward: 0, recomputation: 0, update: 0, library: 0 };

/**
 * Sums nodes by phase, part and operator. No node is left out: what has no place in the traced graph has rows of its own.
 *
 * @param steps that the programs' runs were for.
 * @param milliseconds of a step, that shares are taken of.
 */
export function reportNodes(
  programs: readonly ProgramProfile[],
  steps: number,
  milliseconds: number,
): NodeReport {
  const cut = withoutRoot(
    programs.flatMap(({ nodes }) => nodes.map(({ place, kernel }) => readPlace(place, kernel).part)),
  );
  const placed = (place: string | undefined, kernel: string): ProfilePlace => {
    const read = readPlace(place, kernel);
    return { ...read, part: cut(read.part) };
  };
  const nodes = programs.flatMap((program) =>
    program.nodes.map((node) => ({
      ...placed(node.place, node.kernel),
      name: node.name,
      kernel: node.kernel,
      calls: node.calls / steps,
      milliseconds: node.milliseconds / steps,
    })),
  );
  const products = programs.flatMap(({ flops, runs }) =>
    [...flops]
      .filter(([, count]) => count > 0)
      .map(([place, count]) => ({ ...placed(place, ""), flops: (count * runs) / steps })),
  );
  const tableBy = (nameOf: (place: ProfilePlace) => string, isPart: boolean): ProfileRow[] => {
    const rows = new Table();
    for (const node of nodes) rows.add(nameOf(node), node, isPart ? node.part : node.name);
    for (const product of products) rows.addFlops(nameOf(product), product.flops);
    return rows.finish(milliseconds);
  };
  const total = (of: typeof products) => of.reduce((sum, { flops }) => sum + flops, 0);
  return {
    phases: phasesOf(nodes),
    parts: tableBy(({ part }) => foldLayers(part), true),
    layers: tableBy(({ part }) => part, true),
    operators: tableBy(({ operator }) => operator, false),
    nodes,
    flops: total(products),
    modelFlops: total(products.filter(({ phase }) => phase !== "recomputation")),
  };
}

function phasesOf(nodes: readonly ProfileNode[]): PhaseTimes {
  const phases = { ...none };
  for (const { phase, milliseconds } of nodes) phases[phase] += milliseconds;
  return phases;
}

/** Rows by name. */
class Table {
  readonly #rows = new Map<
    string,
    { phases: Record<ProfilePhase, number>; flops: number; of: Set<string> }
  >();

  #row(name: string) {
    const row = this.#rows.get(name) ?? { phases: { ...none }, flops: 0, of: new Set<string>() };
    this.#rows.set(name, row);
    return row;
  }

  add(name: string, { phase, milliseconds }: ProfileNode, of: string): void {
    const row = this.#row(name);
    row.phases[phase] += milliseconds;
    row.of.add(of);
  }

  addFlops(name: string, flops: number): void {
    this.#row(name).flops += flops;
  }

  finish(whole: number): ProfileRow[] {
    return [...this.#rows]
      .map(([name, { phases, flops, of }]) => {
        const milliseconds = Object.values(phases).reduce((sum, one) => sum + one, 0);
        return {
          name,
          count: of.size,
          milliseconds,
          share: milliseconds / whole,
          ...phases,
          gigaflops: flops / 1e9,
        };
      })
      .sort((a, b) => b.milliseconds - a.milliseconds || (a.name < b.name ? -1 : 1));
  }
}
