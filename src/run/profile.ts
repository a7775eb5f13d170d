import { join } from "node:path";
import type { ProfileEvent, TrainingEvent, WarningEvent } from "../trainers/index.ts";
import { TrainingProfiler } from "../trainers/training-profiler.ts";
import { disk, writeDurably } from "./file-system.ts";

/** Layers of one kind together, or each by itself. */
export type ProfileMode = "folded" | "layers";

const profileName = "profile.json";

/** What events tell of, in the words of a report. */
const activities: Readonly<Partial<Record<TrainingEvent["type"], string>>> = {
  step: "steps",
  evaluation: "evaluation",
  sample: "samples",
  checkpoint: "checkpoints",
};

/** Finds out where the time of a run went, and keeps it as `profile.json` in its directory. */
export class RunProfile {
  readonly profiler = new TrainingProfiler();
  readonly #mode: ProfileMode;
  readonly #seconds = new Map<string, number>();
  #begun = performance.now();

  constructor(mode: ProfileMode) {
    this.#mode = mode;
  }

  /** Says that the run begins now. */
  begin(): void {
    this.#begun = performance.now();
  }

  /** Passes a trainer's events on, and counts the time before each as what it tells of. */
  async *timed(events: AsyncIterable<TrainingEvent>): AsyncGenerator<TrainingEvent> {
    let [last, spent, isPrepared, isOver] = [this.#begun, 0, false, false];
    try {
      for await (const event of events) {
        const now = performance.now();
        const reading = this.profiler.spent - spent;
        spent += reading;
        const what = isPrepared ? (activities[event.type] ?? "other") : "preparation";
        isPrepared ||= event.type === "step";
        this.#add(what, now - last - reading);
        this.#add("profiling", reading);
        yield event;
        this.#add("listeners", performance.now() - now);
        last = performance.now();
      }
      isOver = true;
    } finally {
      // Nobody will ask what was found.
      if (!isOver) await this.profiler.programs.discard();
    }
  }

  /** What was found, also written to the run directory; or why there is nothing. */
  async finish(directory: string, step: number): Promise<ProfileEvent | WarningEvent> {
    const started = performance.now();
    const found = await this.profiler.finish();
    this.#add("profiling", performance.now() - started);
    if (found === undefined)
      return {
        type: "warning",
        code: "NOT_PROFILED",
        message:
          "There is no profile: no update was measured. A trainer has its updates measured when it gives `context.profiler` to its TrainingStep.",
      };
    const { layers, nodes, ...profile } = found;
    const seconds = Object.fromEntries(this.#seconds);
    const text = `${JSON.stringify({ ...profile, seconds, layers, nodes }, rounded, 1)}\n`;
    await writeDurably(disk, join(directory, profileName), [Buffer.from(text)]);
    return {
      type: "profile",
      step,
      path: profileName,
      profile: JSON.parse(
        JSON.stringify(this.#mode === "layers" ? { ...profile, parts: layers } : profile, rounded),
      ),
      seconds: JSON.parse(JSON.stringify(seconds, rounded)),
    };
  }

  #add(what: string, milliseconds: number): void {
    this.#seconds.set(what, (this.#seconds.get(what) ?? 0) + milliseconds / 1000);
  }
}

/** Five digits of every number that is no whole one: more is noise. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
