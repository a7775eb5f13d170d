import { stripVTControlCharacters } from "node:util";
import { createColors } from "picocolors";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Progress } from "../../src/tracking/progress.ts";
import { formatLive, formatNextSteps } from "../../src/tracking/rows.ts";
import { type TerminalOptions, terminal } from "../../src/tracking/terminal.ts";
import type {
  EvaluationEvent,
  RunEvent,
  StartEvent,
  StepEvent,
  SystemEvent,
} from "../../src/trainers/index.ts";
import { EmulatedScreen } from "./screen.ts";

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

const system: SystemEvent = {
  type: "system",
  step: 1,
  rss: 312e6,
  heapUsed: 2e7,
  availableMemory: 8e9,
  cpuPercent: 187,
};

/** A display that writes down what it was told, with a clock that a test can move. */
function display(options: { columns?: number } & TerminalOptions = {}) {
  const { columns = 100, ...rest } = options;
  const writes: string[] = [];
  const clock = { milliseconds: 0 };
  const tracker = terminal({
    stream: { write: (text) => writes.push(text), isTTY: false, columns },
    color: false,
    now: () => clock.milliseconds,
    ...rest,
  });
  return { tracker, clock, writes, text: () => writes.join("") };
}

/** The same at a terminal. */
function atScreen(columns = 100, rows = 40) {
  const screen = new EmulatedScreen(columns, rows);
  const clock = { milliseconds: 0 };
  const now = () => clock.milliseconds;
  const tracker = terminal({ stream: screen, interactive: true, color: false, now });
  return { tracker, clock, screen };
}

function train(
  events: Pick<ReturnType<typeof display>, "tracker" | "clock">,
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
    const shown = display();
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
      const shown = display();
      shown.tracker.event({ ...start, maxSteps: steps });
      train(shown, steps);
      const lines = shown.writes.filter((line) => line.startsWith("step"));
      expect(lines.length).toBeGreaterThanOrEqual(Math.min(steps, 10));
      expect(lines.length).toBeLessThanOrEqual(22);
      expect(lines.at(-1)).toMatch(new RegExp(`^step +${steps}/${steps} `));
    }
  });

  test("there is no escape sequence, and no line is ever taken back", () => {
    const shown = display();
    shown.tracker.event(start);
    train(shown, 300, (number) => (number === 250 ? [evaluation] : []));
    shown.tracker.event({ type: "error", code: "X", message: "the loss is NaN at step 300" });
    shown.tracker.close();
    expect(shown.text()).not.toMatch(/[^\P{Cc}\n]/u);
    expect(shown.text()).toContain("error  the loss is NaN at step 300\n");
  });

  test("a run that a callback stopped says who and why", () => {
    const shown = display();
    shown.tracker.event({ ...start, maxSteps: 40 });
    shown.tracker.event({ type: "end", step: 7, reason: "stopped", message: "earlyStopping: no better" });
    expect(shown.writes.at(-1)).toBe("done  stopped at step 7 of 40, after 0s: earlyStopping: no better\n");
  });

  test("a run without a known end has no share of it", () => {
    const shown = display();
    const { maxSteps: _, ...endless } = start;
    shown.tracker.event(endless);
    shown.tracker.event(step(1));
    expect(shown.text()).toContain("\nstep      1  loss 3.214");
    expect(shown.text()).not.toContain("left");
  });
});

describe("a long run in a pipe", () => {
  test("says something every half minute, though its steps are few of many", () => {
    const shown = display();
    shown.tracker.event({ ...start, maxSteps: 100_000 });
    for (let number = 1; number <= 60; number++) {
      shown.clock.milliseconds += 5000;
      shown.tracker.event(step(number));
    }
    const lines = shown.writes.filter((line) => line.startsWith("step"));
    expect(lines.map((line) => Number(/\d+/.exec(line)?.[0]))).toEqual([
      1,
      ...Array.from({ length: 9 }, (_, index) => 7 + 6 * index),
    ]);
  });

  test.each([
    ["back", -3_600_000],
    ["forward", 3_600_000],
  ])("goes by a clock that nobody sets, where that of the machine is set %s", (_, by) => {
    const dates = vi.spyOn(Date, "now");
    let date = 1e12;
    dates.mockImplementation(() => {
      date += by;
      return date;
    });
    const writes: string[] = [];
    const tracker = terminal({ stream: { write: (text) => writes.push(text) }, color: false });
    tracker.event({ ...start, maxSteps: 3 });
    for (const number of [1, 2, 3]) tracker.event(step(number));
    tracker.event({ type: "end", step: 3, reason: "maxSteps" });
    dates.mockRestore();
    expect(writes.at(-1)).toBe("done  3 steps in 0s\n");
    expect(writes.filter((line) => line.startsWith("step"))).toHaveLength(3);
  });
});

describe("quiet", () => {
  test("shows warnings, errors, verdicts and notes, and nothing else, at a terminal too", async () => {
    const screen = new EmulatedScreen();
    const tracker = terminal({ stream: screen, interactive: true, color: false, quiet: true });
    tracker.event(start);
    tracker.event(step(1));
    tracker.event(evaluation);
    tracker.event({ type: "warning", code: "X", message: "half of it is cut" });
    tracker.note("finishing this step");
    const verdict = { step: 1, batches: 1, loss: 3, threshold: 0.1, passed: false };
    tracker.event({ type: "overfit", ...verdict, message: "it did not learn" });
    tracker.event({ type: "error", code: "X", message: "boom" });
    tracker.event({ type: "end", step: 1, reason: "maxSteps" });
    tracker.close();
    expect(await screen.lines()).toEqual([
      "warning  half of it is cut",
      "finishing this step",
      "failed  it did not learn",
      "error  boom",
    ]);
    expect(screen.writes.join("")).not.toContain("\u001b");
  });
});

describe("in a terminal", () => {
  test("two lines are redrawn, and evaluations stay above them", async () => {
    const shown = atScreen();
    shown.tracker.event(start);
    expect((await shown.screen.lines()).at(-1)).toBe("preparing the first step …");
    train(shown, 251, (number) => (number === 1 ? [system] : number === 250 ? [evaluation] : []));
    const block = [
      "step   251/1000  ━━━━━━──────────────────   25%   1m15s left",
      "loss 3.214  validation 3.088  lr 9.5e-4  37.1k tok/s  312MB",
    ];
    const row =
      "step   250/1000  train 3.214  validation 3.088   2.41 bits/byte   21.9 perplexity  31.2% accuracy";
    const lines = await shown.screen.lines();
    expect(lines.slice(-3)).toEqual([row, ...block]);
    expect(lines.filter((line) => /^(step|loss|preparing)/.test(line))).toEqual([row, ...block]);
    expect(shown.screen.showsCursor).toBe(false);
    shown.tracker.event({ type: "end", step: 251, reason: "maxSteps" });
    shown.tracker.close();
    expect((await shown.screen.lines()).slice(-2)).toEqual([row, "done  251 steps in 25s"]);
    expect(shown.screen.showsCursor).toBe(true);
    const { row: at, column } = await shown.screen.cursor();
    expect({ at, column }).toEqual({ at: (await shown.screen.lines()).length, column: 0 });
  });

  test("the loss is smoothed, as the speed is", async () => {
    const shown = atScreen();
    shown.tracker.event(start);
    for (const [index, loss] of [4, 4, 4, 14].entries()) {
      shown.clock.milliseconds += 100;
      shown.tracker.event(step(index + 1, loss));
    }
    expect((await shown.screen.lines()).at(-1)).toMatch(/^loss 5\.000 /);
  });

  test("they stay whole when the screen scrolls", async () => {
    const shown = atScreen(80, 10);
    shown.tracker.event(start);
    train(shown, 30, (number) => [{ type: "checkpoint", step: number, path: `checkpoints/${number}` }]);
    const lines = await shown.screen.lines();
    expect(lines.slice(-4)).toEqual([
      "saved checkpoints/29",
      "saved checkpoints/30",
      expect.stringMatching(/^step +30\/1000/),
      expect.stringMatching(/^loss 3.214/),
    ]);
    expect(lines.filter((line) => /^(step|loss)/.test(line))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith("saved"))).toHaveLength(30);
  });

  test.each([
    ["narrower", [100, 50, 31, 20]],
    ["wider", [40, 100, 60, 140]],
  ])("nothing is left behind when the window becomes %s", async (_, widths) => {
    const shown = atScreen(widths[0]);
    shown.tracker.event({ type: "warning", code: "X", message: "before" });
    shown.tracker.event({ ...start, components: [] });
    let number = 0;
    for (const columns of widths) {
      await shown.screen.resize(columns);
      for (let count = 0; count < 3; count++) {
        shown.clock.milliseconds += 100;
        shown.tracker.event(step(++number));
      }
      shown.tracker.event({ type: "warning", code: "X", message: `${columns} columns` });
    }
    const lines = await shown.screen.lines();
    expect(lines).toEqual([
      ...["warning  before", "codex-ml  moby-dick", "", ""],
      ...widths.map((columns) => `warning  ${columns} columns`),
      expect.stringMatching(/^step +12\/1000/),
      expect.stringMatching(/^loss 3.214/),
    ]);
  });

  test("what the terminal echoes of Ctrl-C goes with the next drawing", async () => {
    const shown = atScreen();
    shown.tracker.event(start);
    train(shown, 2);
    shown.screen.write("^C");
    shown.tracker.note("finishing this step");
    const lines = await shown.screen.lines();
    expect(lines.join("\n")).not.toContain("^C");
    expect(lines.at(-3)).toBe("finishing this step");
  });

  test("it is redrawn ten times a second at most, not at each of a thousand steps", () => {
    const shown = atScreen();
    shown.tracker.event(start);
    const before = shown.screen.writes.length;
    for (let number = 1; number <= 500; number++) {
      shown.clock.milliseconds += 2;
      shown.tracker.event(step(number));
    }
    expect(shown.screen.writes.length - before).toBeLessThanOrEqual(11);
  });

  test("each drawing is one write, shown at once", () => {
    const shown = atScreen();
    shown.tracker.event(start);
    train(shown, 5);
    for (const write of shown.screen.writes.slice(-4)) {
      expect(write.startsWith("\u001b[?2026h")).toBe(true);
      expect(write.endsWith("\u001b[?2026l")).toBe(true);
    }
  });

  test("a failure takes the lines away, says why, and gives the cursor back", async () => {
    const shown = atScreen();
    shown.tracker.event({ ...start, components: [] });
    train(shown, 3);
    shown.tracker.event({ type: "error", code: "X", message: "boom" });
    expect(shown.screen.showsCursor).toBe(true);
    shown.tracker.close();
    expect(await shown.screen.lines()).toEqual(["codex-ml  moby-dick", "", "", "error  boom"]);
  });

  test("the lines are never as wide as the terminal, and keep what matters most", () => {
    const colors = createColors(true);
    const state = {
      ...{ step: 312, maxSteps: 1000, secondsLeft: 65, loss: 3.2144, learningRate: 9.5e-4 },
      ...{ tokensPerSecond: 37_100, evaluation, rss: 312e6 },
    };
    for (let columns = 1; columns < 140; columns++) {
      const lines = formatLive(state, columns, colors).map(stripVTControlCharacters);
      expect(lines).toHaveLength(2);
      for (const line of lines) expect(line.length).toBeLessThan(columns);
      const [far = "", well = ""] = lines;
      if (columns > 16) expect(far).toContain("312/1000");
      if (columns > 30) expect(far).toContain("1m05s left");
      if (columns > 11) expect(well).toContain("loss 3.214");
      if (columns > 30) expect(well).toContain("validation 3.088");
      if (columns > 60) expect(well).toContain("312MB");
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
    const shown = display();
    shown.tracker.event({ type: "sample", step: 1, prompt: "", text: "\u001b]0;owned\u0007\u001b[2J" });
    expect(shown.text()).toBe("  │ ␛]0;owned␇␛[2J\n");
  });

  test("a long sample is cut", () => {
    const shown = display({ columns: 40 });
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
