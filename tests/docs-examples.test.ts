/** The reference: every built-in has a page, and the example on it prints what the page says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { docstringOf, examples, materialOf, repository } from "../scripts/reference-material.ts";
import { exampleNames, type Printed, runExamples } from "../scripts/run-examples.ts";
import { createRegistries, type Registry } from "../src/faces/registry.ts";

const registries: readonly Registry<unknown>[] = Object.values(createRegistries({ plugins: false }));
const builtIns = registries.map((registry) => ({
  kind: registry.kind.kind.replaceAll("_", "-"),
  names: registry.entries().map(({ name }) => name),
}));

/** The program on a page, and what it is said to print. */
function shown(kind: string, name: string): { program: string; output: string } {
  const page = readFileSync(join(repository, "docs/plugins/reference", kind, `${name}.md`), "utf8");
  const block = "(`{3,})\\w+\\n([\\s\\S]*?)^";
  const found = new RegExp(`^## Example\\n\\n${block}\\1\\n[\\s\\S]*?^${block}\\3$`, "m").exec(page);
  if (found === null) throw new Error(`the page of ${kind}/${name} shows no example with its output`);
  return { program: found[2] ?? "", output: found[4] ?? "" };
}

describe.each(builtIns)("the examples of $kind", ({ kind, names }) => {
  let printed: ReadonlyMap<string, Printed>;
  beforeAll(async () => {
    printed = await runExamples(kind);
  });

  test("are of all built-ins, and of nothing else", async () => {
    expect([...(await exampleNames(kind))].sort()).toEqual(names);
  });

  test.each(names)("%s: prints what its page shows", (name) => {
    const { program, output } = shown(kind, name);
    expect(program).toBe(readFileSync(join(repository, examples, kind, `${name}.ts`), "utf8"));
    expect(program).toContain(`"${name}"`);
    expect(output.trim()).not.toBe("");
    expect(printed.get(name)).toEqual({ output });
  });
});

describe("what a page takes from the repository", () => {
  test("a built-in without a file of its name, or without a docstring, is an error that says what to write", async () => {
    await expect(materialOf("metrics", "absent_one")).rejects.toThrow(
      /metrics\/absent_one is to be defined in src\/metrics\/absent-one\.ts/,
    );
    await expect(materialOf("metrics", "sums")).rejects.toThrow(/metrics\/sums has no docstring/);
  });

  test("the docstring before the definition counts, else that of the class it makes; literature is apart", () => {
    const definition = "export const it = defineMetric({\n  create: () => new It(new Error()),\n});\n";
    expect(docstringOf(`/** What it is, see {@link That}. */\n${definition}`)).toEqual({
      details: ["What it is, see `That`."],
      literature: undefined,
    });
    const about =
      '/**\n * One. Source: Who et al. (2000),\n * "What", p. 3. It equals\n * theirs.\n *\n * Two.\n *\n * @throws never\n */\n';
    const expected = {
      details: ["One. It equals theirs.", "Two."],
      literature: 'Who et al. (2000), "What", p. 3.',
    };
    expect(docstringOf(`${about}class It {}\n\n${definition}`)).toEqual(expected);
    expect(docstringOf(`${about}class Other {}\n\n${definition}`)).toBeUndefined();
    expect(docstringOf("/** Nothing is defined here. */\nconst x = 1;\n")).toBeUndefined();
  });
});
