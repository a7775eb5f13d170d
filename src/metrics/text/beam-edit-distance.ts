/** What became of a word when one text was rewritten into another: kept, replaced, removed or added. */
export type Edit = "keep" | "replace" | "remove" | "add";

const beamWidth = 25;
const unreached = 2 ** 30;
const codes: readonly Edit[] = ["keep", "replace", "remove", "add"];
const [KEEP, REPLACE, REMOVE, ADD] = [0, 1, 2, 3];

/**
 * Edit distance of a prediction to a reference, and the edits, as TER counts them: only cells near the diagonal are looked
 * at, and where edits tie, keeping and replacing come before removing, and that before adding. Which edits are chosen matters,
 * for they decide what may be shifted. Source: Tercom (Snover et al., 2006).
 */
export function beamEditDistance(
  prediction: readonly string[],
  reference: readonly string[],
): { readonly distance: number; readonly edits: readonly Edit[] } {
  const [rows, columns] = [prediction.length, reference.length];
  const width = columns + 1;
  const costs = new Int32Array((rows + 1) * width).fill(unreached);
  const edits = new Uint8Array((rows + 1) * width);
  for (let j = 0; j <= columns; j++) {
    costs[j] = j;
    edits[j] = ADD;
  }
  const slope = rows === 0 ? 1 : columns / rows;
  // So unequal lengths that rows would not overlap need a wider beam.
  const beam = beamWidth < slope / 2 ? Math.ceil(slope / 2 + beamWidth) : beamWidth;
  for (let i = 1; i <= rows; i++) {
    const diagonal = Math.floor(i * slope);
    const last = i === rows ? columns : Math.min(columns, diagonal + beam - 1);
    for (let j = Math.max(0, diagonal - beam); j <= last; j++) {
      const at = i * width + j;
      const above = at - width;
      const consider = (cost: number, edit: number) => {
        if (cost >= (costs[at] ?? unreached)) return;
        costs[at] = cost;
        edits[at] = edit;
      };
      if (j > 0) {
        const isSame = prediction[i - 1] === reference[j - 1];
        consider((costs[above - 1] ?? unreached) + (isSame ? 0 : 1), isSame ? KEEP : REPLACE);
      }
      consider((costs[above] ?? unreached) + 1, REMOVE);
      if (j > 0) consider((costs[at - 1] ?? unreached) + 1, ADD);
    }
  }
  const path: Edit[] = [];
  for (let [i, j] = [rows, columns]; i > 0 || j > 0; ) {
    const code = edits[i * width + j] ?? KEEP;
    path.push(codes[code] ?? "keep");
    if (code !== ADD) i--;
    if (code !== REMOVE) j--;
  }
  return { distance: costs[rows * width + columns] ?? 0, edits: path.reverse() };
}
