import { createColors } from "picocolors";
import type { EndEvent, RunEvent, StepEvent } from "../trainers/index.ts";
import { type Colors, colorsFor, isCapable, isOn } from "./colors.ts";
import { formatCount, formatDuration, niceInterval, printable } from "./format.ts";
import { LiveBlock, type Screen } from "./live-block.ts";
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
  readonly stream?: Screen;
  /** Whether a block is redrawn. Default: whether the stream is a terminal that can, and `CI` is not set. */
  readonly interactive?: boolean;
  /** Default: a terminal, unless `NO_COLOR` is set; anything, when `FORCE_COLOR` is. */
  readonly color?: boolean;
  /** Warnings and errors alone. Default false. */
  readonly quiet?: boolean;
  /** A clock that nobody sets back, in milliseconds. */
  readonly now?: () => number;
}

/** A tracker that shows what it is told. */
export interface Display extends Tracker {
  /** A line that is no event. */
  note(text: string): void;
}

/** Ten times a second: faster is no better to read. */
const redrawMilliseconds = 100;
/** Plain lines come at least this often, so that nobody takes a long run for one that hangs. */
const silentMilliseconds = 30_000;

/** What is shown with `quiet`, too: what is wrong, and what somebody asked for by a flag of its own. */
const ofQuiet: ReadonlySet<RunEvent["type"]> = new Set(["warning", "error", "overfit", "profile"]);

/**
 * Shows a run to people. In a terminal a block of two lines is redrawn (bar and time left; loss, validation, speed, memory) and
 * evaluations, samples and warnings stay above it; in a pipe or a log file there are about twenty plain lines of training instead,
 * and one every half minute of a long run.
 */
export function terminal(options: TerminalOptions = {}): Display {
  return new Terminal(options);
}

class Terminal implements Display {
  readonly #block: LiveBlock;
  readonly #interactive: boolean;
  readonly #quiet: boolean;
  readonly #colors: Colors;
  readonly #now: () => number;
  readonly #begun: number;
  #progress = new Progress(undefined);
  #interval = niceInterval(1000);
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(options: TerminalOptions) {
    const { stream = process.stderr, interactive, color, quiet = false } = options;
    const { now = () => performance.now() } = options;
    this.#block = new LiveBlock(stream);
    this.#quiet = quiet;
    this.#interactive = !quiet && (interactive ?? (isCapable(stream) && !isOn(process.env.CI)));
    this.#colors = color === undefined ? colorsFor(stream) : createColors(color);
    this.#now = now;
    this.#begun = now();
  }

  event(event: RunEvent): void {
    if (this.#quiet && !ofQuiet.has(event.type)) return;
    switch (event.type) {
      case "start":
        this.#progress = new Progress(event.maxSteps);
        this.#interval = niceInterval(event.maxSteps ?? 1000);
        this.#print(formatStart(event, this.#colors));
        this.#draw([this.#colors.dim("preparing the first step …")]);
        break;
      case "resume":
        this.#progress = new Progress(event.maxSteps);
        this.#interval = niceInterval(event.maxSteps ?? 1000);
        this.#print(formatResume(event, this.#colors));
        this.#draw([this.#colors.dim("preparing the next step …")]);
        break;
      case "step":
        this.#step(event);
        break;
      case "evaluation": {
        const context = { maxSteps: this.#progress.maxSteps, trainLoss: this.#progress.takeMeanLoss() };
        this.#print(formatEvaluation(event, context, this.#colors));
        this.#progress.addEvaluation(event);
        break;
      }
      case "system":
        this.#progress.addSystem(event);
        break;
      case "sample":
        this.#print(formatSample(event, this.#block.columns, this.#colors));
        break;
      case "mistakes":
        this.#print(formatMistakes(event, this.#block.columns, this.#colors));
        break;
      case "checkpoint":
        this.#print(this.#colors.dim(`saved ${event.path}`));
        break;
      case "profile":
        this.#print(`\n${formatProfile(event, this.#colors)}\n`);
        break;
      case "warning":
        this.#print(this.#message(this.#colors.yellow("warning"), event.message));
        break;
      case "error":
        this.#block.end();
        this.#print(this.#message(this.#colors.red("error"), event.message));
        break;
      case "overfit":
        this.#print(
          this.#message(
            event.passed ? this.#colors.green("passed") : this.#colors.red("failed"),
            event.message,
          ),
        );
        break;
      case "end":
        this.#block.end();
        this.#print(this.#end(event));
        break;
    }
  }

  note(text: string): void {
    this.#print(text);
  }

  close(): void {
    this.#block.end();
  }

  #step(event: StepEvent): void {
    const now = this.#now();
    const { step } = event;
    const first = this.#progress.last === undefined;
    this.#progress.add(event, now / 1000);
    const last = step === this.#progress.maxSteps;
    const { tokensPerSecond, loss, evaluation, rss } = this.#progress;
    const elapsed = now - this.#shownAt;
    if (!this.#interactive) {
      if (!first && !last && step % this.#interval !== 0 && elapsed < silentMilliseconds) return;
      this.#shownAt = now;
      this.#print(formatStep({ ...event, tokensPerSecond }, this.#context(), this.#colors));
      return;
    }
    if (!first && !last && elapsed < redrawMilliseconds) return;
    this.#shownAt = now;
    const { learningRate } = event;
    const state = { ...this.#context(), step, loss, learningRate, tokensPerSecond, evaluation, rss };
    this.#draw(formatLive(state, this.#block.columns, this.#colors));
  }

  #context(): RowContext {
    return { maxSteps: this.#progress.maxSteps, secondsLeft: this.#progress.secondsLeft };
  }

  #end({ step, reason, message }: EndEvent): string {
    const { maxSteps } = this.#progress;
    const took = formatDuration((this.#now() - this.#begun) / 1000);
    if (reason === "earlyStopping")
      return `${this.#colors.green("done")}  stopped early at step ${formatCount(step)}, after ${took}: evaluations no longer got better`;
    if (reason === "maxSteps")
      return `${this.#colors.green("done")}  ${formatCount(step)} ${step === 1 ? "step" : "steps"} in ${took}`;
    const of = maxSteps === undefined ? "" : ` of ${formatCount(maxSteps)}`;
    if (reason === "stopped") {
      const why = message === undefined ? "" : `: ${printable(message)}`;
      return `${this.#colors.green("done")}  stopped at step ${formatCount(step)}${of}, after ${took}${why}`;
    }
    return `${this.#colors.yellow("interrupted")}  at step ${formatCount(step)}${of}, after ${took}`;
  }

  #message(label: string, text: string): string {
    return `${label}  ${printable(text).replaceAll("\n", "\n  ")}`;
  }

  #print(text: string): void {
    this.#block.print(text);
  }

  #draw(lines: readonly string[]): void {
    if (this.#interactive) this.#block.draw(lines);
  }
}
