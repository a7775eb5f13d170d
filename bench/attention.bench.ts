/** Causal attention with its gradients, whole and in blocks, by turns, each in a process of its own. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { medians } from "./processes.ts";

const forms = ["whole", "blocks"] as const;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      length: { type: "string", multiple: true, default: ["256", "512", "1024", "2048"] },
      rounds: { type: "string", default: "3" },
    },
  });
  const wrong = values.length.find((length) => !(Number(length) >= 256 && 2048 % Number(length) === 0));
  if (wrong !== undefined) {
    console.error(`--length ${wrong}: 2,048 tokens are cut into sequences of 256, 512, 1024 or 2048`);
    return 2;
  }
  console.log("2,048 tokens, 6 heads of 64; milliseconds of the processor, peak memory of the process");
  for (const length of values.length) {
    const figures = medians(
      Number(values.rounds),
      forms.map((form) => ({
        args: [join(import.meta.dirname, "attention-child.mjs"), length, form],
        cwd: import.meta.dirname,
      })),
    );
    const texts = forms.map((form, index) => {
      const { milliseconds = Number.NaN, megabytes = Number.NaN } = figures[index] ?? {};
      return `${form} ${milliseconds.toFixed(0).padStart(4)} ms ${megabytes.toFixed(0).padStart(4)} MB`;
    });
    console.log(`  T ${length.padStart(4)}  ${texts.join("   ")}`);
  }
  return 0;
}
