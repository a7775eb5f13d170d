/** What JSON can hold of a sum. */
export interface ExactSumState {
  /** Numbers that do not overlap and whose exact sum is the sum. */
  readonly partials: readonly number[];
  /** The sum, when a number that is not finite was added. */
  readonly notFinite?: "NaN" | "Infinity" | "-Infinity";
}

/**
 * A sum of float64 numbers without rounding error: `value` is the exact sum, rounded once. So it is the same to the last
 * bit in whatever order numbers came and however they were spread over processes.
 *
 * Source: J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates" (1997),
 * section 2.4, grow-expansion; the last rounding is that of Python's `math.fsum`. Sums beyond 1.8e308 are out of reach.
 */
export class ExactSum {
  #partials: number[] = [];
  /** Sum of the numbers that were not finite, or 0. */
  #notFinite = 0;

  add(number: number): void {
    if (!Number.isFinite(number)) {
      this.#notFinite += number;
      return;
    }
    const partials = this.#partials;
    let carry = number;
    let kept = 0;
    for (let i = 0; i < partials.length; i++) {
      let small = partials[i] ?? 0;
      if (Math.abs(carry) < Math.abs(small)) [carry, small] = [small, carry];
      const high = carry + small;
      const low = small - (high - carry); // exactly what `high` lost
      if (low !== 0) partials[kept++] = low;
      carry = high;
    }
    partials[kept] = carry;
    partials.length = kept + 1;
  }

  /** The sum, correctly rounded; `NaN` or an infinity when such a number was added. */
  get value(): number {
    if (this.#notFinite !== 0) return this.#notFinite;
    const partials = this.#partials;
    let i = partials.length - 1;
    let sum = partials[i] ?? 0;
    let low = 0;
    while (i > 0 && low === 0) {
      const before = sum;
      const next = partials[--i] ?? 0;
      sum = before + next;
      low = next - (sum - before);
    }
    // Half-way between two floats: the sign of what is left decides, not round-half-even.
    const next = partials[i - 1] ?? 0;
    if (i > 0 && ((low < 0 && next < 0) || (low > 0 && next > 0))) {
      const twice = 2 * low;
      const rounded = sum + twice;
      if (twice === rounded - sum) return rounded;
    }
    return sum;
  }

  reset(): void {
    this.#partials = [];
    this.#notFinite = 0;
  }

  state(): ExactSumState {
    const partials = [...this.#partials];
    if (this.#notFinite === 0) return { partials };
    if (Number.isNaN(this.#notFinite)) return { partials, notFinite: "NaN" };
    return { partials, notFinite: this.#notFinite > 0 ? "Infinity" : "-Infinity" };
  }

  merge(state: ExactSumState): void {
    for (const partial of state.partials) this.add(partial);
    if (state.notFinite !== undefined) this.add(Number(state.notFinite));
  }
}
