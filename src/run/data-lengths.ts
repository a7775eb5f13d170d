/** How lengths are spread: percentiles by nearest rank, so that each is a length that occurs. */
export interface LengthSummary {
  readonly min: number;
  readonly p5: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
  readonly mean: number;
  /** Equal ranges from `min` to `max`, both ends included. */
  readonly histogram: readonly LengthBin[];
}

export interface LengthBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Counts lengths by value: exact percentiles, and memory that grows with the values that differ, not with the examples. */
export class Lengths {
  readonly #counts = new Map<number, number>();
  #total = 0;

  add(length: number): void {
    this.#counts.set(length, (this.#counts.get(length) ?? 0) + 1);
    this.#total++;
  }

  /** Undefined when there was no length. */
  summary(bins = 8): LengthSummary | undefined {
    const sorted = [...this.#counts].sort(([a], [b]) => a - b);
    const [min] = sorted[0] ?? [];
    const [max] = sorted.at(-1) ?? [];
    if (min === undefined || max === undefined) return undefined;
    const sum = sorted.reduce((total, [length, count]) => total + length * count, 0);
    const at = (share: number) => percentile(sorted, Math.max(1, Math.ceil(share * this.#total)));
    return {
      min,
      p5: at(0.05),
      median: at(0.5),
      p95: at(0.95),
      max,
      mean: sum / this.#total,
      histogram: histogram(sorted, min, max, bins),
    };
  }
}

/** The `rank`-th smallest, from 1. */
function percentile(sorted: readonly (readonly [number, number])[], rank: number): number {
  let before = 0;
  for (const [length, count] of sorted) {
    before += count;
    if (before >= rank) return length;
  }
  return Number.NaN;
}

function histogram(
  sorted: readonly (readonly [number, number])[],
  min: number,
  max: number,
  bins: number,
): LengthBin[] {
  const width = Math.ceil((max - min + 1) / bins);
  const ranges = Math.ceil((max - min + 1) / width);
  const counts = new Array<number>(ranges).fill(0);
  for (const [length, count] of sorted) {
    const bin = Math.floor((length - min) / width);
    counts[bin] = (counts[bin] ?? 0) + count;
  }
  return counts.map((count, bin) => ({
    from: min + bin * width,
    to: Math.min(max, min + (bin + 1) * width - 1),
    count,
  }));
}
