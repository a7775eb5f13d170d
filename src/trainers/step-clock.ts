import type { StepSeconds } from "./events.ts";

/** Adds up where the time between two step events goes. */
export class StepClock {
  #data = 0;
  #evaluation = 0;

  /** Does the work, and counts its time. */
  async time<Result>(what: "data" | "evaluation", work: () => Promise<Result>): Promise<Result> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      const seconds = (performance.now() - started) / 1000;
      if (what === "data") this.#data += seconds;
      else this.#evaluation += seconds;
    }
  }

  /** What was counted since the last call, with what others measured. To the microsecond: it is written with every step. */
  take({
    forwardBackward,
    update,
    saving,
  }: Pick<StepSeconds, "forwardBackward" | "update" | "saving">): StepSeconds {
    const evaluation = microseconds(this.#evaluation);
    const saved = microseconds(saving ?? 0);
    const taken = {
      data: microseconds(this.#data),
      forwardBackward: microseconds(forwardBackward),
      update: microseconds(update),
      ...(evaluation > 0 && { evaluation }),
      ...(saved > 0 && { saving: saved }),
    };
    this.#data = 0;
    this.#evaluation = 0;
    return taken;
  }
}

function microseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
