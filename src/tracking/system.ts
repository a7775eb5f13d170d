import type { SystemEvent } from "../trainers/index.ts";

export interface SystemMonitorOptions {
  /** Between two events. Default 5. */
  readonly seconds?: number;
  /** Milliseconds, by a clock that nobody sets back. */
  readonly now?: () => number;
}

/** Looks at what the process uses: after the first step, and then after the first step of every few seconds. */
export class SystemMonitor {
  readonly #seconds: number;
  readonly #now: () => number;
  #at: number;
  #cpu = process.cpuUsage();
  #begun = false;

  constructor({ seconds = 5, now = () => performance.now() }: SystemMonitorOptions = {}) {
    this.#seconds = seconds;
    this.#now = now;
    this.#at = now();
  }

  /** The event of this step, where one is due. */
  after(step: number): SystemEvent | undefined {
    const now = this.#now();
    const elapsed = (now - this.#at) / 1000;
    if (this.#begun && elapsed < this.#seconds) return undefined;
    this.#begun = true;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    this.#at = now;
    const { rss, heapUsed } = process.memoryUsage();
    return {
      type: "system",
      step,
      rss,
      heapUsed,
      availableMemory: process.availableMemory(),
      cpuPercent: elapsed > 0 ? Math.round((user + system) / elapsed / 1e4) : 0,
    };
  }
}
