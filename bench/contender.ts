import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What a contender prints for each number of steps that it is asked for. */
export interface Turn {
  /** Milliseconds of each step. */
  readonly times: readonly number[];
  readonly loss: number;
  /** Largest resident memory of its process so far, in bytes. */
  readonly peak: number;
}

/**
 * A program that trains: it prints a line of JSON when it is ready, then reads numbers of steps, a line each, and prints a
 * {@link Turn} for each. Between turns it waits, so that several can take turns on one machine.
 */
export class Contender {
  readonly label: string;
  readonly times: number[] = [];
  /** What it said of itself when it was ready. */
  about: Readonly<Record<string, unknown>> = {};
  loss = Number.NaN;
  peak = 0;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(label: string, program: string, args: readonly string[]) {
    this.label = label;
    this.#process = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], cwd: import.meta.dirname });
    if (this.#process.stdout === null || this.#process.stderr === null) throw new Error("no pipe");
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#process.stderr.on("data", (text: Buffer) => {
      this.#errors = (this.#errors + text.toString()).slice(-2000);
    });
  }

  #errors = "";

  /** Waits until it has built its model and taken its first step. */
  async ready(): Promise<void> {
    this.about = JSON.parse(await this.#next()) as Record<string, unknown>;
  }

  /**
   * Takes so many steps; those of a turn that counts are added to `times`. Of several, one more is taken before: it finds the caches full of
   * what others left there.
   */
  async turn(steps: number, counts: boolean): Promise<void> {
    const first = steps > 1 ? 1 : 0;
    this.#process.stdin?.write(`${first + steps}\n`);
    const { times, loss, peak } = JSON.parse(await this.#next()) as Turn;
    if (counts) this.times.push(...times.slice(first));
    this.loss = loss;
    this.peak = peak;
  }

  stop(): void {
    this.#process.kill();
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.label} ended: ${this.#errors.trim() || "it printed nothing"}`);
    return value;
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
