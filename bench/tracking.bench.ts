/** Which share of the default run's time goes into writing down and showing it. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { train } from "../src/run/train.ts";
import {
  ndjsonFile,
  SystemMonitor,
  sampleFiles,
  type Tracker,
  tensorBoard,
  terminal,
} from "../src/tracking/index.ts";
import type { RunEvent } from "../src/trainers/index.ts";
import { rounded, saveResults, target } from "./results.ts";

const mostPercent = 1;

interface Told {
  readonly event: RunEvent;
  /** Milliseconds since the first event. */
  readonly at: number;
}

/** A real run: its events, and when they came. */
async function record(
  folder: string,
  steps: string,
): Promise<{ readonly told: Told[]; readonly wall: number }> {
  const told: Told[] = [];
  const run = await train(join(import.meta.dirname, "../examples/moby-dick.yaml"), {
    out: join(folder, "run"),
    set: [`trainer.maxSteps=${steps}`],
  });
  const started = performance.now();
  for await (const event of run) told.push({ event, at: performance.now() - started });
  return { told, wall: performance.now() - started };
}

/** Milliseconds for telling all events once more: the median of some rounds, each with a tracker of its own. */
async function replay(
  told: readonly Told[],
  rounds: number,
  open: (now: () => number) => Tracker | Promise<Tracker>,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let clock = 0;
    const tracker = await open(() => clock);
    const started = performance.now();
    for (const { event, at } of told) {
      clock = at;
      tracker.event(event);
    }
    await tracker.close();
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      steps: { type: "string", default: "200" },
      rounds: { type: "string", default: "9" },
      record: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  const folder = await mkdtemp(join(tmpdir(), "codex-ml-bench-"));
  try {
    const { told, wall } = await record(folder, values.steps);
    const seen = told.filter(({ event }) => event.type === "system").length;
    const steps = told.filter(({ event }) => event.type === "step").length;
    console.log(
      `${steps} steps of examples/moby-dick.yaml: ${(wall / 1000).toFixed(1)} s, ${told.length} events, load ${loadavg()[0]?.toFixed(1)}`,
    );
    let number = 0;
    const fresh = (name: string): string => join(folder, `${name}-${++number}`);
    const screen = { write: () => {}, isTTY: true, columns: 100 };
    const sinks: Record<string, number> = {
      "metrics.ndjson, flushed with each checkpoint": await replay(told, rounds, () =>
        ndjsonFile(fresh("metrics")),
      ),
      "events.out.tfevents": await replay(told, rounds, async () => {
        const to = fresh("tensorboard");
        await mkdir(to);
        return tensorBoard(to);
      }),
      samples: await replay(told, rounds, () => sampleFiles(fresh("samples"))),
      "terminal, interactive": await replay(told, rounds, (now) =>
        terminal({ stream: screen, interactive: true, color: true, now }),
      ),
      "memory and processor": await replay(
        told.filter(({ event }) => event.type === "system"),
        rounds,
        () => {
          const monitor = new SystemMonitor({ seconds: 0 });
          return { event: (event) => void ("step" in event && monitor.after(event.step)), close() {} };
        },
      ),
    };
    const total = Object.values(sinks).reduce((sum, milliseconds) => sum + milliseconds, 0);
    const percent = (milliseconds: number): number => (100 * milliseconds) / wall;
    for (const [name, milliseconds] of Object.entries(sinks))
      console.log(
        `  ${name.padEnd(46)} ${milliseconds.toFixed(2).padStart(8)} ms  ${percent(milliseconds).toFixed(4)} %`,
      );
    const all = target("tracking", "% of the run", mostPercent, percent(total));
    console.log(
      `  ${"all".padEnd(46)} ${total.toFixed(2).padStart(8)} ms  ${percent(total).toFixed(4)} %  (${seen} looks at memory)`,
    );
    const path = saveResults("tracking", values.record, {
      steps,
      seconds: rounded(wall / 1000),
      milliseconds: Object.fromEntries(Object.entries(sinks).map(([name, value]) => [name, rounded(value)])),
      targets: [all],
    });
    console.log(`${all.met ? "met" : "missed"}: under ${mostPercent} %. ${path}`);
    return all.met ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
