import { createColors } from "picocolors";
import type { EndEvent, RunEvent, StepEvent } from "../trainers/index.ts";
import { type Colors, colorsFor, isCapable } from "./colors.ts";
import { formatCount, formatDuration, niceInterval, printable } from "./format.ts";
import { formatProfile } from "./profile-table.ts";
import { Progress } from "./progress.ts";
import {
  formatEvaluation,
  formatLive,
  formatMistakes,
  formatResume,
  formatSample,
  formatStart,
  formatStep,
  type RowContext,
} from "./rows.ts";
import type { Tracker } from "./tracker.ts";

export interface TerminalOptions {
  /** Where to write. Default stderr: what a command prints on stdout is its result. */
  readonly stream?: {
    write(text: string): unknown;
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
  };
  /** Whether one line is redrawn. Default: whether the stream is a terminal that can. */
  readonly interactive?: boolean;
  /** Default: a terminal, unless `NO_COLOR` is set; anything, when `FORCE_COLOR` is. */
  readonly color?: boolean;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** Back to the line's beginning, and clear it. */
const clearLine = "\r\u001b[2K";
const redrawMilliseconds = 80;

/**
 * Shows a run to people. In a terminal one line is redrawn (bar, loss, speed, time left) and evaluations, samples and
 * warnings stay above it; in a pipe or a log file there are about twenty plain lines of training instead.
 */
export function terminal(options: TerminalOptions = {}): Tracker {
  return new Terminal(options);
}

class Terminal implements Tracker {
  readonly #stream: NonNullable<TerminalOptions["stream"]>;
  readonly #interactive: boolean;
  readonly #colors: Colors;
  readonly #now: () => number;
  readonly #begun: number;
  #progress = new Progress(undefined);
  #interval = niceInterval(1000);
  #drawnAt = Number.NEGATIVE_INFINITY;
  #live = "";

  constructor({ stream = process.stderr, interactive, color, now = Date.now }: TerminalOptions) {
    this.#stream = stream;
    this.#interactive = interactive ?? (isCapable(stream) && process.env.CI === undefined);
    this.#colors = color === undefined ? colorsFor(stream) : createColors(color);
    this.#now = now;
    this.#begun = now();
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case "start":
        this.#progress = new Progress(event.maxSteps);
        this.#interval = niceInterval(event.maxSteps ?? 1000);
        this.#print(formatStart(event, this.#colors));
        this.#draw(this.#colors.dim("preparing the first step …"));
        break;
      case "resume":
        this.#progress = new Progress(event.maxSteps);
        this.#interval = niceInterval(event.maxSteps ?? 1000);
        this.#print(formatResume(event, this.#colors));
        this.#draw(this.#colors.dim("preparing the next step …"));
        break;
      case "step":
        this.#step(event);
        break;
      case "evaluation": {
        const context = { maxSteps: this.#progress.maxSteps, trainLoss: this.#progress.takeMeanLoss() };
        this.#print(formatEvaluation(event, context, this.#colors));
        break;
      }
      case "sample":
        this.#print(formatSample(event, this.#columns, this.#colors));
        break;
      case "mistakes":
        this.#print(formatMistakes(event, this.#columns, this.#colors));
        break;
      case "checkpoint":
        this.#print(this.#colors.dim(`saved ${event.path}`));
        break;
      case "profile":
        this.#draw("");
        this.#print(`\n${formatProfile(event, this.#colors)}\n`);
        break;
      case "warning":
        this.#print(this.#message(this.#colors.yellow("warning"), event.message));
        break;
      case "error":
        this.#draw("");
        this.#print(this.#message(this.#colors.red("error"), event.message));
        break;
      case "end":
        this.#draw("");
        this.#print(this.#end(event));
        break;
    }
  }

  close(): void {
    this.#draw("");
  }

  #step(event: StepEvent): void {
    const now = this.#now();
    const { step } = event;
    const first = this.#progress.last === undefined;
    this.#progress.add(event, now / 1000);
    const last = step === this.#progress.maxSteps;
    if (!this.#interactive) {
      if (!first && !last && step % this.#interval !== 0) return;
      this.#print(formatStep(this.#smoothed(event), this.#context(), this.#colors));
      return;
    }
    if (!first && !last && now - this.#drawnAt < redrawMilliseconds) return;
    this.#drawnAt = now;
    this.#draw(formatLive(this.#smoothed(event), this.#context(), this.#columns, this.#colors));
  }

  #smoothed(event: StepEvent): StepEvent {
    return { ...event, tokensPerSecond: this.#progress.tokensPerSecond };
  }

  #context(): RowContext {
    return { maxSteps: this.#progress.maxSteps, secondsLeft: this.#progress.secondsLeft };
  }

  #end({ step, reason }: EndEvent): string {
    const { maxSteps } = this.#progress;
    const took = formatDuration((this.#now() - this.#begun) / 1000);
    if (reason === "earlyStopping")
      return `${this.#colors.green("done")}  stopped early at step ${formatCount(step)}, after ${took}: evaluations no longer got better`;
    if (reason === "maxSteps")
      return `${this.#colors.green("done")}  ${formatCount(step)} ${step === 1 ? "step" : "steps"} in ${took}`;
    const of = maxSteps === undefined ? "" : ` of ${formatCount(maxSteps)}`;
    return `${this.#colors.yellow("interrupted")}  at step ${formatCount(step)}${of}, after ${took}`;
  }

  #message(label: string, text: string): string {
    return `${label}  ${printable(text).replaceAll("\n", "\n  ")}`;
  }

  get #columns(): number {
    return this.#stream.columns ?? 80;
  }

  /** A line that stays, above the one that is redrawn. */
  #print(text: string): void {
    this.#stream.write(this.#live === "" ? `${text}\n` : `${clearLine}${text}\n${this.#live}`);
  }

  /** Replaces the line that is redrawn. */
  #draw(line: string): void {
    if (!this.#interactive || (line === "" && this.#live === "")) return;
    this.#live = line;
    this.#stream.write(clearLine + line);
  }
}
