import { stripVTControlCharacters } from "node:util";
import { createColors } from "picocolors";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Progress } from "../../src/tracking/progress.ts";
import { formatLive, formatNextSteps } from "../../src/tracking/rows.ts";
import { type TerminalOptions, terminal } from "../../src/tracking/terminal.ts";
import type { EvaluationEvent, RunEvent, StartEvent, StepEvent } from "../../src/trainers/index.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const start: StartEvent = {
  type: "start",
  run: "moby-dick",
  parameters: 820_352,
  maxSteps: 1000,
  components: [
    { kind: "tokenizer", name: "bpe", origin: "codex-ml@0.1.0" },
    { kind: "model", name: "gpt2", origin: "codex-ml@0.1.0" },
    { kind: "trainer", name: "causal_lm", origin: "codex-ml@0.1.0" },
    { kind: "metric", name: "perplexity", origin: "codex-ml@0.1.0" },
    { kind: "metric", name: "toy_metric", origin: "my-extension@1.2.0" },
  ],
};
const step = (number: number, loss = 3.2144): StepEvent => ({
  type: "step",
  step: number,
  loss,
  learningRate: 9.5e-4,
  gradientNorm: 1.31,
  tokens: 2048,
  tokensPerSecond: 37_100,
});
const evaluation: EvaluationEvent = {
  type: "evaluation",
  step: 250,
  split: "validation",
  loss: 3.0881,
  metrics: { bits_per_byte: 2.41, perplexity: 21.9, token_accuracy: 0.312 },
  tokens: 1000,
  seconds: 1,
};

/** A terminal that writes down what it was told, with a clock that a test can move. */
function display(options: { tty: boolean; columns?: number } & TerminalOptions) {
  const { tty, columns = 100, ...rest } = options;
  const writes: string[] = [];
  const clock = { milliseconds: 0 };
  const tracker = terminal({
    stream: { write: (text) => writes.push(text), isTTY: tty, columns },
    interactive: tty,
    color: false,
    now: () => clock.milliseconds,
    ...rest,
  });
  return { tracker, clock, writes, text: () => writes.join("") };
}

/** What a screen shows after these writes: clearing a line takes back what was on it. */
function screen(writes: readonly string[]): string[] {
  const lines = writes.join("").split("\n");
  return lines.map((line) => stripVTControlCharacters(line.split("\r\u001b[2K").at(-1) ?? ""));
}

function train(
  events: ReturnType<typeof display>,
  steps: number,
  after: (step: number) => readonly RunEvent[] = () => [],
): void {
  for (let number = 1; number <= steps; number++) {
    events.clock.milliseconds += 100;
    events.tracker.event(step(number));
    for (const event of after(number)) events.tracker.event(event);
  }
}

describe("in a pipe", () => {
  test("a run is told in plain lines", () => {
    const shown = display({ tty: false });
    shown.tracker.event({ ...start, maxSteps: 40 });
    train(shown, 3, (number) =>
      number === 2 ? [evaluation, { type: "checkpoint", step: 2, path: "checkpoints/step-000002" }] : [],
    );
    shown.tracker.event({ type: "sample", step: 3, prompt: "Call me", text: " Ishmael.\nSome years ago" });
    shown.tracker.event({ type: "warning", code: "X", message: "two\nlines" });
    shown.tracker.event({ type: "end", step: 3, reason: "interrupted" });
    shown.tracker.close();
    expect(shown.text()).toBe(`codex-ml  moby-dick

  tokenizer  bpe                             codex-ml@0.1.0
  model      gpt2        820,352 parameters  codex-ml@0.1.0
  trainer    causal_lm   40 steps            codex-ml@0.1.0
  metrics    perplexity                      codex-ml@0.1.0
             toy_metric                      my-extension@1.2.0

step   1/40  loss 3.214  lr 9.5e-4  grad 1.31  37.1k tok/s
step   2/40  loss 3.214  lr 9.5e-4  grad 1.31  37.1k tok/s      4s left
step 250/40  train 3.214  validation 3.088   2.41 bits/byte   21.9 perplexity  31.2% accuracy
saved checkpoints/step-000002
  │ Call me Ishmael.
  │ Some years ago
warning  two
  lines
interrupted  at step 3 of 40, after 0s
`);
  });

  test("there are about twenty lines of training, whatever the number of steps, the first and the last among them", () => {
    for (const steps of [1, 7, 19, 100, 999, 1234]) {
      const shown = display({ tty: false });
      shown.tracker.event({ ...start, maxSteps: steps });
      train(shown, steps);
      const lines = shown.writes.filter((line) => line.startsWith("step"));
      expect(lines.length).toBeGreaterThanOrEqual(Math.min(steps, 10));
      expect(lines.length).toBeLessThanOrEqual(22);
      expect(lines.at(-1)).toMatch(new RegExp(`^step +${steps}/${steps} `));
    }
  });

  test("there is no escape sequence, and no line is ever taken back", () => {
    const shown = display({ tty: false });
    shown.tracker.event(start);
    train(shown, 300, (number) => (number === 250 ? [evaluation] : []));
    shown.tracker.event({ type: "error", code: "X", message: "the loss is NaN at step 300" });
    shown.tracker.close();
    expect(shown.text()).not.toMatch(/[^\P{Cc}\n]/u);
    expect(shown.text()).toContain("error  the loss is NaN at step 300\n");
  });

  test("a run without a known end has no share of it", () => {
    const shown = display({ tty: false });
    const { maxSteps: _, ...endless } = start;
    shown.tracker.event(endless);
    shown.tracker.event(step(1));
    expect(shown.text()).toContain("\nstep      1  loss 3.214");
    expect(shown.text()).not.toContain("left");
  });
});

describe("in a terminal", () => {
  test("one line is redrawn, and evaluations stay above it", () => {
    const shown = display({ tty: true });
    shown.tracker.event(start);
    expect(screen(shown.writes).at(-1)).toBe("preparing the first step …");
    train(shown, 251, (number) => (number === 250 ? [evaluation] : []));
    const lines = screen(shown.writes);
    expect(lines.filter((line) => line.startsWith("step"))).toEqual([
      "step   250/1000  train 3.214  validation 3.088   2.41 bits/byte   21.9 perplexity  31.2% accuracy",
      "step   251/1000  ━━━━━━──────────────────  loss 3.214  lr 9.5e-4  37.1k tok/s   1m15s left",
    ]);
    shown.tracker.event({ type: "end", step: 251, reason: "maxSteps" });
    shown.tracker.close();
    expect(screen(shown.writes).slice(-2)).toEqual(["done  251 steps in 25s", ""]);
  });

  test("it is redrawn a few times a second, not at each of a thousand steps", () => {
    const shown = display({ tty: true });
    shown.tracker.event(start);
    const before = shown.writes.length;
    for (let number = 1; number <= 500; number++) {
      shown.clock.milliseconds += 2;
      shown.tracker.event(step(number));
    }
    expect(shown.writes.length - before).toBeLessThan(16);
  });

  test("a failure takes the line away and says why", () => {
    const shown = display({ tty: true });
    shown.tracker.event(start);
    train(shown, 3);
    shown.tracker.event({ type: "error", code: "X", message: "boom" });
    shown.tracker.close();
    expect(screen(shown.writes).slice(-2)).toEqual(["error  boom", ""]);
  });

  test("the line is never as wide as the terminal, and keeps what matters most", () => {
    const colors = createColors(true);
    const context = { maxSteps: 1000, secondsLeft: 65 };
    for (let columns = 1; columns < 140; columns++) {
      const line = stripVTControlCharacters(formatLive(step(312), context, columns, colors));
      expect(line.length).toBeLessThan(columns);
      if (columns > 32) expect(line).toContain("loss 3.214");
      if (columns > 45) expect(line).toContain("1m05s left");
    }
  });

  test("colours go where NO_COLOR is set or the terminal cannot show them", () => {
    const coloured = (tty: boolean, env: Record<string, string>): boolean => {
      vi.unstubAllEnvs();
      for (const name of ["NO_COLOR", "FORCE_COLOR", "TERM", "CI"]) vi.stubEnv(name, env[name]);
      const writes: string[] = [];
      terminal({ stream: { write: (text) => writes.push(text), isTTY: tty } }).event({
        type: "checkpoint",
        step: 1,
        path: "x",
      });
      return writes.join("").includes("\u001b[2m");
    };
    expect(coloured(true, { TERM: "xterm" })).toBe(true);
    expect(coloured(true, { TERM: "xterm", NO_COLOR: "1" })).toBe(false);
    expect(coloured(true, { TERM: "dumb" })).toBe(false);
    expect(coloured(false, {})).toBe(false);
    expect(coloured(false, { FORCE_COLOR: "1" })).toBe(true);
    expect(coloured(false, { FORCE_COLOR: "0" })).toBe(false);
  });

  test("what a model writes cannot reach the terminal", () => {
    const shown = display({ tty: true });
    shown.tracker.event({ type: "sample", step: 1, prompt: "", text: "\u001b]0;owned\u0007\u001b[2J" });
    expect(shown.text()).toBe("  │ ␛]0;owned␇␛[2J\n");
  });

  test("a long sample is cut", () => {
    const shown = display({ tty: false, columns: 40 });
    shown.tracker.event({ type: "sample", step: 1, prompt: "Once", text: " upon a time".repeat(60) });
    const lines = shown.text().trimEnd().split("\n");
    expect(lines).toHaveLength(9);
    expect(lines.at(-1)).toBe("  │ …");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  });
});

describe("progress", () => {
  test("the mean training loss counts tokens, not steps, and begins anew when it is taken", () => {
    const progress = new Progress(10);
    progress.add({ ...step(1, 1), tokens: 100 }, 0);
    progress.add({ ...step(2, 4), tokens: 300 }, 1);
    expect(progress.takeMeanLoss()).toBe(3.25);
    expect(progress.takeMeanLoss()).toBeUndefined();
  });

  test("the time left goes by the steps of this process: a resumed run began at its checkpoint", () => {
    const progress = new Progress(1000);
    progress.add(step(501), 100);
    expect(progress.secondsLeft).toBeUndefined();
    progress.add(step(511), 105);
    expect(progress.secondsLeft).toBe(489 / 2);
  });
});

describe("what to do next", () => {
  const colors = createColors(false);
  test("are commands to copy", () => {
    expect(formatNextSteps({ directory: "runs/moby-dick-20250131-230509", prompt: "Call me" }, colors)).toBe(
      `run  runs/moby-dick-20250131-230509

  generate  npx codex-ml generate runs/moby-dick-20250131-230509 --prompt "Call me"
  evaluate  npx codex-ml evaluate runs/moby-dick-20250131-230509
`,
    );
  });

  test("quote what a shell would take apart", () => {
    const text = formatNextSteps({ directory: "my runs/$x", prompt: "it's" }, colors);
    expect(text).toContain("codex-ml evaluate 'my runs/$x'\n");
    expect(text).toContain('--prompt "it\'s"');
  });
});
