/** The pages that `npm run docs` writes. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  createRegistries,
  createRegistry,
  defineMetric,
  type Metric,
  type RegistryKind,
} from "../../src/faces/registry.ts";
import { referencePages } from "../../src/plugins/reference.ts";

const metric = () => () => 1;

describe("the reference", () => {
  test("has a page of each kind, and every built-in option is described", async () => {
    const pages = await referencePages(createRegistries({ plugins: false }));
    expect([...pages.keys()].sort()).toEqual([
      "data-loaders.md",
      "metrics.md",
      "models.md",
      "tokenizers.md",
      "trainers.md",
    ]);
    for (const [name, text] of pages) expect(text.match(/^\| `.*\| \|$/gm), name).toBeNull();
    expect(pages.get("trainers.md")).toContain(
      "| `learningRate` | `number` > 0 | `0.001` | Peak learning rate. |",
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
    const page = (await referencePages(registries)).get("metrics.md") ?? "";
    expect(page).toContain("| [`a.b@1`](#ab1) | `ab` | A \\[metric\\] of mine. |");
    expect(page).toMatch(/^Origin: registered at .*reference\.test\.ts:\d+\. Aliases: `ab`\.$/m);
    expect(page).toContain(
      '| `mark` | `string` | `` "\\|`\\|" `` | One of \\<a\\|b> or \\*c\\* and `code\\|<d>`. |',
    );
    expect(page).toContain('| `form.kind` | `"x" \\| "y"` | required | |');
    expect(page).toContain('| `form.k` | `integer` ≥ 1 | required | With kind: "x". |');
    expect(page).toMatch(/## `mute`\n\n.*\n\nIt does not describe its options\./);
  });

  test("a component that cannot be imported fails, rather than being left out", async () => {
    const registries = createRegistries({ plugins: false });
    const load = () => Promise.reject(new Error("gone"));
    const kind: RegistryKind<Metric> = { ...registries.metrics.kind, builtins: { broken: { load } } };
    const metrics = createRegistry(kind, { plugins: false });
    await expect(referencePages({ ...registries, metrics })).rejects.toThrow(/broken.*gone/s);
  });
});
