// What every contender of the training benchmark that is JavaScript does: says that it is ready, then for each number N that it
// reads takes N steps and prints their milliseconds, as bench/contender.ts expects.
import { createInterface } from "node:readline";

/** The shape that was asked for. */
export const shape = JSON.parse(process.argv[2]);

/** Ids and labels of the batch that all contenders learn. */
export function batch() {
  const inputIds = Int32Array.from(
    { length: shape.batch * shape.length },
    (_, at) => (at * 7919) % shape.vocabulary,
  );
  return { inputIds, labels: inputIds.map((id) => (id + 1) % shape.vocabulary) };
}

export async function takeTurns(about, step) {
  await step();
  console.log(JSON.stringify(about));
  for await (const line of createInterface({ input: process.stdin })) {
    const times = [];
    let loss = Number.NaN;
    for (let at = 0; at < Number(line); at++) {
      const started = performance.now();
      loss = await step();
      times.push(performance.now() - started);
    }
    console.log(JSON.stringify({ times, loss, peak: process.resourceUsage().maxRSS * 1024 }));
  }
  // Threads of the peer would keep the process.
  process.exit(0);
}
