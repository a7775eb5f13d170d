/**
 * Differentiation of single numbers: the plainest there is, to compare the graph's with. Every number knows what it was
 * computed from and the slope towards each; `backward` walks them from the last to the first.
 */
export interface Scalar {
  readonly value: number;
  readonly from: readonly Scalar[];
  readonly slopes: readonly number[];
  gradient: number;
}

/** Numbers in the order in which they were made. */
export class Tape {
  readonly #made: Scalar[] = [];

  make(value: number, from: readonly Scalar[] = [], slopes: readonly number[] = []): Scalar {
    const scalar = { value, from, slopes, gradient: 0 };
    this.#made.push(scalar);
    return scalar;
  }

  /** Fills in d `loss` / d every number. */
  backward(loss: Scalar): void {
    loss.gradient = 1;
    for (let at = this.#made.length - 1; at >= 0; at--) {
      const { from, slopes, gradient } = this.#made[at] as Scalar;
      if (gradient === 0) continue;
      for (const [index, parent] of from.entries()) parent.gradient += gradient * (slopes[index] ?? 0);
    }
  }

  /** The largest number and gradient on the way: what rounding errors are measured by. */
  scale(): number {
    let largest = 0;
    for (const { value, gradient } of this.#made)
      largest = Math.max(largest, Math.abs(value), Math.abs(gradient));
    return largest;
  }

  add(a: Scalar, b: Scalar): Scalar {
    return this.make(a.value + b.value, [a, b], [1, 1]);
  }

  sub(a: Scalar, b: Scalar): Scalar {
    return this.make(a.value - b.value, [a, b], [1, -1]);
  }

  mul(a: Scalar, b: Scalar): Scalar {
    return this.make(a.value * b.value, [a, b], [b.value, a.value]);
  }

  div(a: Scalar, b: Scalar): Scalar {
    return this.make(a.value / b.value, [a, b], [1 / b.value, -a.value / b.value ** 2]);
  }

  scaled(a: Scalar, factor: number): Scalar {
    return this.make(a.value * factor, [a], [factor]);
  }

  /** A function of one number, and its derivative there. */
  map(a: Scalar, value: (x: number) => number, slope: (x: number) => number): Scalar {
    return this.make(value(a.value), [a], [slope(a.value)]);
  }

  pow(a: Scalar, b: Scalar): Scalar {
    const y = a.value ** b.value;
    return this.make(y, [a, b], [b.value * a.value ** (b.value - 1), y * Math.log(a.value)]);
  }

  sum(terms: readonly Scalar[]): Scalar {
    return this.make(
      terms.reduce((sum, { value }) => sum + value, 0),
      terms,
      terms.map(() => 1),
    );
  }

  product(factors: readonly Scalar[]): Scalar {
    const without = (at: number) =>
      factors.reduce((product, { value }, other) => (other === at ? product : product * value), 1);
    return this.make(
      without(-1),
      factors,
      factors.map((_factor, at) => without(at)),
    );
  }

  /** The largest (`sign` 1) or smallest (−1); equal ones share the slope. */
  extreme(candidates: readonly Scalar[], sign: 1 | -1): Scalar {
    const value = sign * Math.max(...candidates.map((candidate) => sign * candidate.value));
    const ties = candidates.filter((candidate) => candidate.value === value).length;
    return this.make(
      value,
      candidates,
      candidates.map((candidate) => (candidate.value === value ? 1 / ties : 0)),
    );
  }
}
