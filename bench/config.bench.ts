/** How long `config check` takes to say everything that is wrong with a run file: whole processes, by turns. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machine, rounded, target } from "./results.ts";

const cli = join(import.meta.dirname, "..", "dist", "cli.mjs");

/** A mistake at each level: the top, every component, and what two options say of each other. */
const bad = `seed: x
tokenizer: { name: bpe, vocabSiz: 1024 }
data: { name: text, path: book.txt, validation: 2 }
model: { name: gpt2, hiddenSize: 100, numAttentionHeads: 3 }
trainer: { name: causal_lm, maxSteps: 10, learningRat: 1, lrSchedulerType: linear, minLrRate: 0.1 }
metrics: [perplexit, { name: token_accuracy, k: 1 }]
`;

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: "string", default: "20" } } });
  const folder = mkdtempSync(join(tmpdir(), "codex-ml-bench-config-"));
  const file = join(folder, "bad.yaml");
  writeFileSync(file, bad);
  const arms = [
    { name: "node -e 0", args: ["-e", "0"], code: 0, times: [] as number[] },
    { name: "plugins list", args: [cli, "plugins", "list"], code: 0, times: [] as number[] },
    { name: "config check, bad file", args: [cli, "config", "check", file], code: 2, times: [] as number[] },
    {
      name: "config check, good file",
      args: [cli, "config", "check", "examples/moby-dick.yaml"],
      code: 0,
      times: [] as number[],
    },
  ];
  try {
    for (let round = -1; round < Number(values.rounds); round++)
      for (const { args, code, times } of arms) {
        const started = performance.now();
        const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
        const time = performance.now() - started;
        if (status !== code) throw new Error(`${args.join(" ")} gave ${status}, not ${code}\n${stderr}`);
        if (round >= 0) times.push(time);
      }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const { processor, cores, loadAverage, node } = machine();
  console.log(
    `${processor}, ${cores} cores, load ${loadAverage}, Node ${node}; ms, median and fastest of ${values.rounds}`,
  );
  const [bare] = arms.map(({ times }) => middle(times));
  for (const { name, times } of arms)
    console.log(
      `${name.padEnd(24)} ${rounded(middle(times))} (${rounded(Math.min(...times))}), beyond node ${rounded(middle(times) - (bare ?? 0))}`,
    );
  const whole = target("config check of a bad file", "ms", 300, middle(arms[2]?.times ?? []));
  console.log(whole.met ? "under 300 ms" : "not under 300 ms");
  return whole.met ? 0 : 1;
}

function middle(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}
