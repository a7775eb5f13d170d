import type { EvaluatedExample, Metric, MetricFunction, StreamingMetric } from "../../src/metrics/index.ts";
import { metricConformance } from "../../src/testing/metric.ts";
import { type Fault, strict, testFaults } from "./faults.ts";

interface Sums {
  sum: number;
  count: number;
}

/** Right: the mean of the token losses. `own` is its state. */
function right(own: Sums = { sum: 0, count: 0 }): StreamingMetric {
  return {
    reads: ["tokenLosses"],
    update({ tokenLosses, labels }) {
      if (tokenLosses === undefined) throw new Error("there are no tokenLosses");
      for (const loss of tokenLosses) own.sum += loss;
      own.count += labels.length;
    },
    compute: () => own.sum / own.count,
    reset: () => void Object.assign(own, { sum: 0, count: 0 }),
    state: () => ({ ...own }),
    merge: (state) => {
      const { sum, count } = state as Sums;
      own.sum += sum;
      own.count += count;
    },
  };
}

/** The right one with something replaced; `own` is its state. */
const wrong = (
  change: (base: StreamingMetric, own: Sums) => { readonly [Key in keyof StreamingMetric]?: unknown },
) =>
  strict<Metric>(() => {
    const own = { sum: 0, count: 0 };
    const base = right(own);
    return { ...base, ...change(base, own) } as StreamingMetric;
  });

const accuracy: MetricFunction = ({ predictions, references }) => {
  const ids = references.flatMap((labels, row) =>
    Array.from(labels, (label, at) => label === predictions[row]?.[at]),
  );
  return ids.filter(Boolean).length / ids.length;
};

const state = "state() is plain JSON, and a copy";
const again = "asked again, it gives the same value";
const reads = "it needs only the inputs in `reads`";

const remembered: number[] = [];
const shared = { sum: 0, count: 0 };

const faults: Fault<Metric, object>[] = [
  {
    check: "a build fulfils the contract",
    fault: "no list of what it reads",
    build: wrong(() => ({ reads: "tokenLosses" })),
    says: /expected an array `reads`/,
  },
  {
    check: "an unknown option is refused",
    fault: "options that are not looked at",
    build: () => accuracy,
    says: /noSuchOption was accepted.*allowUnknownOptions/,
  },
  {
    check: "an unknown option is refused",
    fault: "an error that is not about options",
    build: ({ noSuchOption }: { noSuchOption?: unknown }) => {
      if (noSuchOption !== undefined) throw new TypeError("bad call");
      return accuracy;
    },
    says: /made the factory throw RegistryFactoryError.*bad call\. Expected an error about options/,
  },
  {
    check: "the options { beta: -1 } are refused",
    fault: "a value that is not looked at",
    build: () => accuracy,
    says: /The options \{ beta: -1 \} were accepted/,
  },
  {
    check: "two builds give equal values",
    fault: "a value that chance decides",
    build: wrong((base) => {
      const salt = Math.random();
      return { compute: () => Number(base.compute()) + salt };
    }),
    says: /Two builds .* differ: value is [\d.]+ in the first, [\d.]+ in the second/,
  },
  {
    check: "its value is a number, or numbers with names",
    fault: "a value that is text",
    build: wrong(() => ({ compute: () => "0.5" })),
    says: /Its value over 10 sequences is "0\.5"; expected a number, or a record of numbers/,
  },
  {
    check: "its value is a number, or numbers with names",
    fault: "a value that is always undefined",
    build: wrong(() => ({ compute: () => Number.NaN })),
    says: /Its value over 10 sequences is NaN; expected a number/,
  },
  {
    check: "over no sequence it gives a number or NaN",
    fault: "an error over nothing",
    build: wrong((base, own) => ({
      compute: () => {
        if (own.count === 0) throw new RangeError("division by zero");
        return base.compute();
      },
    })),
    says: /The component threw: RangeError: division by zero/,
  },
  {
    check: "over no sequence it gives a number or NaN",
    fault: "no value over nothing",
    build: strict(() => (data) => (data.references.length === 0 ? (undefined as never) : accuracy(data))),
    says: /Its value over no sequence is undefined; expected a number or NaN/,
  },
  {
    check: "over no sequence it gives a number or NaN",
    fault: "other names over nothing",
    build: strict(
      () =>
        (data): { [name: string]: number } =>
          data.references.length === 0 ? { none: 1 } : { all: 1 },
    ),
    says: /Its value over no sequence is none; expected all, as over others/,
  },
  {
    check: "it changes nothing that it is given",
    fault: "labels that are sorted in place",
    build: wrong((base) => ({
      update: (example: EvaluatedExample) => {
        example.labels.sort();
        base.update(example);
      },
    })),
    says: /must not write into its inputs, but they differ: \[0\]\.labels\[\d+\] is \d+ before, \d+ after/,
  },
  {
    check: again,
    fault: "a function that remembers earlier calls",
    build: strict(() => (data) => {
      remembered.push(Number(accuracy(data)));
      return remembered.reduce((sum, value) => sum + value, 0);
    }),
    says: /The same data must give the same value, but it differs/,
  },
  {
    check: again,
    fault: "computing that resets",
    build: wrong((base) => ({
      compute: () => {
        const value = base.compute();
        base.reset();
        return value;
      },
    })),
    says: /compute\(\) must not change what it computes, but its value differs/,
  },
  {
    check: again,
    fault: "computing that disturbs later updates",
    build: wrong((base, own) => {
      let done = false;
      return {
        reset: () => {
          done = false;
          base.reset();
        },
        compute: () => {
          if (!done) done = true;
          return base.compute();
        },
        update: (example: EvaluatedExample) => {
          if (done) own.count++;
          base.update(example);
        },
      };
    }),
    says: /compute\(\) must not disturb later updates/,
  },
  {
    check: reads,
    fault: "an input that it forgot to list",
    build: wrong(() => ({ reads: ["predictedIds"] })),
    says: /`reads` is \["predictedIds"\], but with those inputs alone it threw there are no tokenLosses/,
  },
  {
    check: reads,
    fault: "an input that it takes where it finds it",
    build: wrong((base) => ({
      update: (example: EvaluatedExample) => {
        if (example.labelBytes === undefined || example.labelBytes[0] !== 0) base.update(example);
      },
    })),
    says: /`reads` is \["tokenLosses"\], and it must need no other input, but its value differs/,
  },
  {
    check: reads,
    fault: "an input that does not exist",
    build: wrong(() => ({ reads: ["tokenLosses", "logits"] })),
    says: /`reads` has "logits"; expected only "tokenLosses", "predictedIds", "labelBytes"/,
  },
  {
    check: "reset makes it as new",
    fault: "a count that survives reset",
    build: wrong((_, own) => ({ reset: () => void Object.assign(own, { sum: 0 }) })),
    says: /reset\(\) must make it as new, but its value over nothing differs: NaN in a new one, 0 after/,
  },
  {
    check: "reset makes it as new",
    fault: "a trace of what was, seen only over sequences",
    build: wrong((base, own) => {
      let largest = 0;
      return {
        update: (example: EvaluatedExample) => {
          base.update(example);
          largest = Math.max(largest, example.tokenLosses?.[0] ?? 0);
        },
        compute: () => (own.count === 0 ? Number.NaN : largest),
      };
    }),
    options: { examples: [9, 1, 2].map(exampleOf) },
    says: /its value over further sequences differs: 2 in a new one, 9 after reset/,
  },
  {
    check: "builds share no state",
    fault: "sums that all builds add to",
    build: strict(() => right(shared)),
    says: /Updating one build must not change another, but the other's state differs: sum is 0 before/,
  },
  {
    check: state,
    fault: "a state that JSON cannot hold",
    build: wrong((_, own) => ({ state: () => new Map(Object.entries(own)) })),
    says: /state is Map; expected plain JSON data/,
  },
  {
    check: state,
    fault: "a state that is not finite",
    build: wrong((_, own) => ({ state: () => ({ ...own, least: Number.POSITIVE_INFINITY }) })),
    says: /state\.least is Infinity; expected plain JSON data/,
  },
  {
    check: state,
    fault: "a state that lives on",
    build: wrong((_, own) => ({ state: () => own })),
    says: /A state that was taken changed with later updates, from \{"sum".*expected a copy/,
  },
  {
    check: state,
    fault: "a state that is not all",
    build: wrong((_, own) => ({ state: () => ({ sum: own.sum, count: 1 }) })),
    says: /must go through JSON and give the same value, but it differs/,
  },
  {
    check: "merged parts of any split give the value of the whole",
    fault: "a mean of means",
    build: wrong((base, own) => ({
      state: () => ({ sum: own.count === 0 ? 0 : base.compute(), count: own.count === 0 ? 0 : 1 }),
    })),
    says: /Merging parts of 1 \+ 9 sequences must give the value of the whole: expected [\d.]+, got [\d.]+/,
  },
  {
    check: "merging is commutative",
    fault: "merging that keeps the last",
    build: wrong((_, own) => ({ merge: (given: object) => void Object.assign(own, given) })),
    says: /Merging b into a must give what a into b gives: expected [\d.]+, got [\d.]+/,
  },
  {
    check: "merging is associative",
    fault: "merging that averages as it goes",
    build: wrong((_, own) => ({
      merge: ({ sum, count }: Sums) => {
        own.sum = own.count === 0 ? sum : (own.sum + sum) / 2;
        own.count = own.count === 0 ? count : (own.count + count) / 3;
      },
    })),
    says: /\(a \+ b\) \+ c must give what a \+ \(b \+ c\) gives: expected [\d.]+, got [\d.]+/,
  },
];

/** A sequence of one token with a loss. */
function exampleOf(loss: number): EvaluatedExample {
  const one = Int32Array.of(1);
  return { labels: one, tokenLosses: Float32Array.of(loss), predictedIds: one, labelBytes: one };
}

testFaults(
  metricConformance,
  { build: strict<Metric>(() => right()), options: { invalidOptions: [{ beta: -1 }] } },
  faults,
);
