/** The pages that `npm run docs` writes. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  createRegistries,
  createRegistry,
  defineMetric,
  type Metric,
  type Registry,
  type RegistryKind,
} from "../../src/faces/registry.ts";
import { referencePages } from "../../src/plugins/reference.ts";

const metric = () => () => 1;

describe("the reference", () => {
  test("has a page of each kind and of each built-in, and every built-in option is described", async () => {
    const registries = createRegistries({ plugins: false });
    const pages = await referencePages(registries);
    const kinds = ["data-loaders", "metrics", "models", "tokenizers", "trainers"];
    expect([...pages.keys()].filter((path) => !path.includes("/")).sort()).toEqual(
      kinds.map((kind) => `${kind}.md`),
    );
    const all: readonly Registry<unknown>[] = Object.values(registries);
    for (const registry of all)
      for (const { name } of registry.entries()) {
        const folder = registry.kind.kind.replaceAll("_", "-");
        expect(pages.get(`${folder}.md`)).toContain(`[\`${name}\`](${folder}/${name}.md)`);
        expect(pages.get(`${folder}/${name}.md`)).toMatch(/^## Options$/m);
      }
    for (const [name, text] of pages)
      if (name.includes("/")) expect(text.match(/^\| `.*\| \|$/gm), name).toBeNull();
    expect(pages.get("trainers/causal_lm.md")).toContain(
      "| `maxGradNorm` | `number` ≥ 0 | `1` | Largest global norm of the gradient; 0: any. |",
    );
  });

  test("tells what belongs together: what metrics read and who gives it, which models are for which trainer", async () => {
    const pages = await referencePages(createRegistries({ plugins: false }));
    const lines = (path: string) =>
      (pages.get(path) ?? "").split("\n").filter((line) => line.startsWith("- "));
    const trainer = (name: string) => `[\`${name}\`](../trainers/${name}.md)`;
    expect(lines("metrics/bits_per_byte.md")).toEqual([
      "- Reads `tokenLosses`: the cross-entropy of each label, in nats",
      "- Reads `labelBytes`: how many bytes of UTF-8 each label stands for",
      `- In a run file: \`metrics: [bits_per_byte]\`, with the trainers ${trainer("causal_lm")} and ${trainer("masked_lm")}`,
    ]);
    expect(lines("metrics/pass_at_k.md")).toEqual([
      "- Reads `outcome`: which task was attempted, and whether the attempt passed",
      "- Of a file of predictions: `npx codex-ml metrics pass_at_k --predictions FILE`",
    ]);
    expect(lines("models/bert.md")).toEqual([
      "- Tasks: `masked_lm` and `sequence_classification`",
      `- Trained by: ${trainer("masked_lm")} and ${trainer("sequence_classification")}`,
      "- In a run file: `model: bert`",
    ]);
    expect(lines("data-loaders/csv.md")).toEqual(["- In a run file: `data: { name: csv, path: … }`"]);
    expect(lines("trainers/causal_lm.md")).toContain(
      "- In a run file: `trainer: { name: causal_lm, maxSteps: … }`",
    );
    expect(lines("trainers/causal_lm.md")).toContain(
      "- Trains: [`gpt2`](../models/gpt2.md) and [`llama`](../models/llama.md)",
    );
    expect(lines("tokenizers/byte.md")).toContain(
      "- Has nothing to learn: its vocabulary is always the same",
    );
    expect(lines("tokenizers/hf.md")).toEqual(["- In a run file: `tokenizer: { name: hf, path: … }`"]);
    expect(pages.get("metrics.md")).toMatch(/^\| \[`perplexity`\].*\| `tokenLosses` \|$/m);
  });

  test("shows the example, what it prints, details and literature of a built-in, with links from its page", async () => {
    const asked: string[] = [];
    const pages = await referencePages(createRegistries({ plugins: false }), async (folder, name) => {
      asked.push(`${folder}/${name}`);
      const example = {
        path: `docs/plugins/examples/${folder}/${name}.ts`,
        code: "use();\n",
        output: "used\n",
      };
      return {
        source: `src/${folder}/it.ts`,
        details: ["One *x*.", "Two."],
        literature: "Who (2000).",
        example,
      };
    });
    expect(asked).toContain("data-loaders/text");
    const page = pages.get("data-loaders/text.md") ?? "";
    expect(page).toContain(
      "## Example\n\n```ts\nuse();\n```\n\n[text.ts](../../examples/data-loaders/text.ts), which",
    );
    expect(page).toContain("prints:\n\n```text\nused\n```\n");
    expect(page).toContain("## In detail\n\nOne \\*x\\*.\n\nTwo.\n");
    expect(page).toContain(
      "## Source\n\n[src/data-loaders/it.ts](../../../../src/data-loaders/it.ts). After Who (2000).\n",
    );
  });

  test("shows origin, aliases and options of any shape, and escapes what Markdown would read", async () => {
    const registries = createRegistries({ plugins: false });
    registries.metrics.register(
      "a.b@1",
      defineMetric({
        options: z.strictObject({
          mark: z.string().default("|`|").describe("One of <a|b> or *c*\nand `code|<d>`."),
          form: z.discriminatedUnion("kind", [
            z.object({ kind: z.literal("x"), k: z.int().min(1) }),
            z.object({ kind: z.literal("y") }),
          ]),
        }),
        create: metric,
      }),
      { aliases: ["ab"], description: "A [metric] of mine." },
    );
    registries.metrics.register("mute", metric);
    const pages = await referencePages(registries, async (folder, name) => {
      if (name === "mute" || name === "a.b@1") throw new Error("only built-ins have material");
      const example = { path: `${folder}/${name}`, code: "", output: "" };
      return { source: "", details: [], literature: undefined, example };
    });
    expect(pages.get("metrics.md")).toContain(
      "| [`a.b@1`](metrics/a.b@1.md) | `ab` | A \\[metric\\] of mine. | |",
    );
    const page = pages.get("metrics/a.b@1.md") ?? "";
    expect(page).toMatch(/Origin: registered at .*reference\.test\.ts:\d+\. Aliases: `ab`\.$/m);
    expect(page).toContain(
      '| `mark` | `string` | `` "\\|`\\|" `` | One of \\<a\\|b> or \\*c\\* and `code\\|<d>`. |',
    );
    expect(page).toContain('| `form.kind` | `"x" \\| "y"` | required | |');
    expect(page).toContain('| `form.k` | `integer` ≥ 1 | required | With kind: "x". |');
    expect(pages.get("metrics/mute.md")).toMatch(/## Options\n\nIt does not describe its options\./);
  });

  test("a component that cannot be imported fails, rather than being left out", async () => {
    const registries = createRegistries({ plugins: false });
    const load = () => Promise.reject(new Error("gone"));
    const kind: RegistryKind<Metric> = { ...registries.metrics.kind, builtins: { broken: { load } } };
    const metrics = createRegistry(kind, { plugins: false });
    await expect(referencePages({ ...registries, metrics })).rejects.toThrow(/broken.*gone/s);
  });
});
