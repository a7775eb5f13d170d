import { measurePeak, Profiler, runtimeInfo } from "../runtime/index.ts";
import { type PhaseTimes, type ProfileNode, type ProfileRow, reportNodes } from "./profile-report.ts";

/** Memory of training, in bytes. */
export interface StepBytes {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  /** The most that lay between the operators of graphs at a time, activations above all: the arena's peak. */
  readonly activations: number;
}

/** Where the time of training went. */
export interface TrainingProfile {
  readonly format: 1;
  readonly runtime: ReturnType<typeof runtimeInfo>;
  /** The updates that were looked into, counted from 1; those before them warmed up. */
  readonly window: { readonly from: number; readonly steps: number };
  /** Milliseconds of an update and what comes with it, on average in the window. The parts of `time` add up to it. */
  readonly milliseconds: number;
  readonly time: PhaseTimes & {
    /** In calls of the library, but in no node of a graph: getting there and back, and going from node to node. */
    readonly betweenNodes: number;
    /** In the update, but outside the library. */
    readonly outside: number;
    /** Building graphs, of which each form of batch has one. */
    readonly compiling: number;
    /** Waiting until the next batches are ready. */
    readonly data: number;
    /** Between two updates, apart from that: events and whoever listens to them. */
    readonly betweenUpdates: number;
  };
  /** Medians of an update, profiled and (as many, right after those) not. */
  readonly overhead: {
    readonly profiled: number;
    /** Undefined where the run ended too soon for updates without profiling. */
    readonly plain: number | undefined;
    readonly plainSteps: number;
  };
  readonly parts: readonly ProfileRow[];
  readonly operators: readonly ProfileRow[];
  readonly compute: {
    /** Of an update in products of matrices, in GFLOP; without what gradient checkpointing computes again. */
    readonly gigaflops: number;
    readonly recomputedGigaflops?: number;
    /** That by the time of an update (without profiling, where there is one). */
    readonly gigaflopsPerSecond: number;
    /** What this machine reaches in a product of large matrices. */
    readonly peakGigaflopsPerSecond: number;
    /** One by the other, in [0, 1]. */
    readonly shareOfPeak: number;
  };
  readonly memory: StepBytes & {
    /** The most that the process had resident, whatever for. */
    readonly process: number;
  };
}

/** What `profile.json` has besides. */
export interface ProfileDetails {
  /** As `parts`, each layer by itself. */
  readonly layers: readonly ProfileRow[];
  readonly nodes: readonly ProfileNode[];
}

/** Most updates to look into, and to let pass before that. */
const WINDOW = 20;
const WARM_UP = 5;
/** Nodes to record at most: the library keeps a kilobyte or two of each. */
const MOST_NODES = 60_000;

interface UpdateTimes {
  readonly profiled: boolean;
  /** Without building graphs. */
  readonly milliseconds: number;
  readonly compiling: number;
  /** Of those in calls of the library. */
  readonly library: number;
  readonly waited: number;
  /** Since the update before ended, waiting included. */
  readonly between: number;
}

/**
 * Finds out where the time of training goes. A {@link TrainingStep} that is made with it has its graphs profiled for a few
 * updates after a warm-up (at most 20 after 5, and no more than half of a short run, so that updates without profiling remain to
 * compare with).
 */
export class TrainingProfiler {
  /** For the programs of an update. */
  readonly programs = new Profiler();
  readonly #peak: () => Promise<number>;
  #warmUp = WARM_UP;
  #window = WINDOW;
  #memory: (() => StepBytes) | undefined;
  #measured: StepBytes | undefined;
  readonly #updates: UpdateTimes[] = [];
  #warmed = 0;
  #state: "warming" | "looking" | "over" = "warming";
  #programs: Awaited<ReturnType<Profiler["stop"]>> = [];
  #waited = 0;
  #endedAt: number | undefined;
  #spent = 0;
  #compiling = 0;

  /** @param peak what this machine reaches, in GFLOP/s; default: it is measured when training is over. */
  constructor(peak: () => Promise<number> = measurePeak) {
    this.#peak = peak;
  }

  /** Milliseconds that went into reading what was recorded: time that a run without profiling does not need. */
  get spent(): number {
    return this.#spent;
  }

  /** Says how many updates there will be. */
  plan(maxSteps: number): void {
    this.#warmUp = Math.min(WARM_UP, Math.floor(maxSteps / 4));
    this.#window = Math.max(1, Math.min(WINDOW, Math.ceil((maxSteps - this.#warmUp) / 2)));
  }

  /** Says whose memory to tell of. */
  watch(memory: () => StepBytes): void {
    this.#memory = memory;
  }

  /** Waits for data, and counts it. */
  async waiting<Result>(data: Promise<Result>): Promise<Result> {
    const started = performance.now();
    const result = await data;
    this.#waited = performance.now() - started;
    return result;
  }

  /** Builds a graph, and counts the time by itself. */
  compiling<Result>(build: () => Result): Result {
    const started = performance.now();
    try {
      return build();
    } finally {
      this.#compiling += performance.now() - started;
    }
  }

  /** Does an update, and measures it. */
  async update<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.settle();
    const isWarm = this.#warmed >= this.#warmUp || this.programs.recorded > MOST_NODES / 2;
    if (this.#state === "warming" && isWarm) {
      this.#state = "looking";
      this.programs.start();
    }
    const started = performance.now();
    const { library } = this.programs;
    const before = this.#compiling;
    try {
      return await work();
    } finally {
      const ended = performance.now();
      if (this.#state === "warming") this.#warmed++;
      else
        this.#updates.push({
          profiled: this.#state === "looking",
          milliseconds: ended - started - (this.#compiling - before),
          compiling: this.#compiling - before,
          library: this.programs.library - library,
          waited: this.#waited,
          between: started - (this.#endedAt ?? started),
        });
      this.#endedAt = ended;
      this.#waited = 0;
    }
  }

  /** Ends looking when it has seen enough. Nothing may be running; a good moment is between two updates. */
  async settle(force = false): Promise<void> {
    const isEnough = this.#updates.length >= this.#window || this.programs.recorded > MOST_NODES;
    if (this.#state !== "looking" || !(isEnough || force) || this.#updates.length === 0) return;
    this.#state = "over";
    // Later there are also the graphs of evaluation and generation.
    this.#measured = this.#memory?.();
    const started = performance.now();
    this.#programs = await this.programs.stop();
    this.#spent += performance.now() - started;
    this.#endedAt = undefined;
  }

  /** What was found; undefined when no update was looked into. */
  async finish(): Promise<(TrainingProfile & ProfileDetails) | undefined> {
    await this.settle(true);
    const profiled = this.#updates.filter((update) => update.profiled);
    // Those right after: the longer ago, the more else has changed on the machine.
    const plain = this.#updates.filter((update) => !update.profiled).slice(0, profiled.length);
    await this.programs.discard();
    if (profiled.length === 0) return undefined;
    const process = globalThis.process.resourceUsage().maxRSS * 1024;
    const times = timesOf(profiled);
    const { phases, parts, layers, operators, nodes, flops, modelFlops } = reportNodes(
      this.#programs,
      profiled.length,
      times.whole,
    );
    const inNodes = Object.values(phases).reduce((sum, one) => sum + one, 0);
    const median = { profiled: medianOf(profiled), plain: plain.length > 0 ? medianOf(plain) : undefined };
    const gigaflops = modelFlops / 1e9;
    const gigaflopsPerSecond = (1000 * gigaflops) / (median.plain ?? median.profiled);
    const peak = await this.#peak();
    return {
      format: 1,
      runtime: runtimeInfo(),
      window: { from: this.#warmed + 1, steps: profiled.length },
      milliseconds: times.whole,
      time: {
        ...phases,
        betweenNodes: Math.max(0, times.library - inNodes),
        outside: times.outside,
        compiling: times.compiling,
        data: times.data,
        betweenUpdates: times.betweenUpdates,
      },
      overhead: { ...median, plainSteps: plain.length },
      parts,
      operators,
      compute: {
        gigaflops,
        ...(flops > modelFlops && { recomputedGigaflops: (flops - modelFlops) / 1e9 }),
        gigaflopsPerSecond,
        peakGigaflopsPerSecond: peak,
        shareOfPeak: gigaflopsPerSecond / peak,
      },
      memory: {
        ...(this.#measured ?? { weights: 0, gradients: 0, optimizer: 0, activations: 0 }),
        process,
      },
      layers,
      nodes,
    };
  }
}

/** Means of updates, in milliseconds; what is between them as a median, since evaluations and checkpoints are between some. */
function timesOf(updates: readonly UpdateTimes[]) {
  const mean = (of: (update: UpdateTimes) => number) =>
    updates.reduce((sum, update) => sum + of(update), 0) / updates.length;
  const library = mean((update) => update.library);
  const outside = mean(({ milliseconds }) => milliseconds) - library;
  const compiling = mean((update) => update.compiling);
  const data = mean(({ waited }) => waited);
  const betweenUpdates = median(updates.map(({ between, waited }) => Math.max(0, between - waited)));
  const whole = library + outside + compiling + data + betweenUpdates;
  return { library, outside, compiling, data, betweenUpdates, whole };
}

function medianOf(updates: readonly UpdateTimes[]): number {
  return median(updates.map(({ milliseconds }) => milliseconds));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
