import { execFileSync } from "node:child_process";

export type Figures = Readonly<Record<string, number>>;

/** A process that prints its figures as JSON. */
export interface Contender {
  /** By default this Node. */
  readonly program?: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The median of each number that processes print: contenders take turns, and their first turn does not count. */
export function medians(rounds: number, contenders: readonly Contender[]): Figures[] {
  const outcomes = contenders.map((): Figures[] => []);
  for (let round = -1; round < rounds; round++)
    for (const [index, contender] of contenders.entries()) {
      const figures = JSON.parse(runOnce(contender)) as Figures;
      if (round >= 0) outcomes[index]?.push(figures);
    }
  return outcomes.map((figures) => {
    const keys = Object.keys(figures[0] ?? {});
    return Object.fromEntries(keys.map((key) => [key, median(figures.map((one) => one[key] ?? Number.NaN))]));
  });
}

/** The median milliseconds that whole processes take, from their start to their end; by turns as above. */
export function durations(rounds: number, contenders: readonly Contender[]): number[] {
  const times = contenders.map((): number[] => []);
  for (let round = -1; round < rounds; round++)
    for (const [index, contender] of contenders.entries()) {
      const started = performance.now();
      runOnce(contender);
      if (round >= 0) times[index]?.push(performance.now() - started);
    }
  return times.map(median);
}

export function runOnce({ program = process.execPath, args, cwd, env }: Contender): string {
  return execFileSync(program, args, { cwd, encoding: "utf8", env: { ...process.env, ...env } });
}
