/** Aliases of packages: who answers for them, and that an entry is had with all of its names or not at all. */
import { afterAll, describe, expect, test } from "vitest";
import { createRegistries } from "../../src/faces/registry.ts";
import { Project, type Written } from "./project.ts";

const files = { "index.js": "export const one = () => () => 1; export const two = () => () => 2;" };
const one = (...aliases: unknown[]) => ({ target: "./index.js#one", aliases });
const two = (...aliases: unknown[]) => ({ target: "./index.js#two", aliases });

const projects: Project[] = [];
afterAll(() => {
  for (const project of projects) project.remove();
});
function metricsOf(packages: Readonly<Record<string, Written["metrics"]>>) {
  const project = new Project(
    Object.fromEntries(
      Object.entries(packages).map(([name, metrics]) => [name, { metrics, files } as Written]),
    ),
  );
  projects.push(project);
  const { metrics } = createRegistries({ root: project.directory });
  const value = async (name: string): Promise<unknown> => {
    try {
      return ((await metrics.create(name)) as () => number)();
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };
  return { metrics, values: (...names: string[]) => Promise.all(names.map(value)) };
}

describe("within one manifest", () => {
  test.each([
    ["a name is an earlier one's alias", { first: one("taken"), taken: two("late") }],
    ["an alias is an earlier one's name", { taken: one(), second: two("late", "taken") }],
    ["an alias is an earlier one's alias", { first: one("taken"), second: two("late", "Taken ") }],
  ])("%s: all of the second is left out, and the first has all of its names", async (_, declared) => {
    const { metrics, values } = metricsOf({ pack: declared });
    const [first = "", second = ""] = Object.keys(declared);
    expect(await values(first, "taken")).toEqual([1, 1]);
    const others = [second, "late"].filter((name) => name !== "taken");
    for (const name of others) expect([name, metrics.has(name)]).toEqual([name, false]);
    expect(metrics.entries().filter(({ origin }) => origin.package === "pack")).toHaveLength(1);
    const messages = metrics.problems().map(({ message }) => message);
    expect(messages).toEqual([
      expect.stringContaining(`"${second}": "taken" is declared twice; this second declaration is left out`),
    ]);
  });

  test("one bad alias, and none of that entry's names is taken: another may have them", async () => {
    const { metrics, values } = metricsOf({ pack: { first: one("fine", "two words"), fine: two() } });
    expect(await values("first", "fine")).toEqual(["REGISTRY_NOT_FOUND", 2]);
    expect(metrics.problems()).toHaveLength(1);
  });

  test("the same alias twice, or the name itself as one, is no collision", async () => {
    const { metrics, values } = metricsOf({ pack: { first: one("x", "X", "first", " x ") } });
    expect(await values("first", "x")).toEqual([1, 1]);
    expect(metrics.inspect("x").aliases).toEqual(["x"]);
    expect(metrics.problems()).toEqual([]);
  });
});

describe("between packages", () => {
  test.each([
    ["the alias of one is a name of the other", { mine: one("shared") }, { shared: two() }],
    ["both have the alias", { mine: one("shared") }, { yours: two("shared") }],
  ])("%s: asking for it is an error that names both, and all else works", async (_, ours, theirs) => {
    const { metrics, values } = metricsOf({ ours, theirs });
    const [name = ""] = Object.keys(theirs);
    expect(await values("shared", "mine", "ours/shared", "theirs/shared", `theirs/${name}`)).toEqual([
      "REGISTRY_CONFLICT",
      1,
      1,
      2,
      2,
    ]);
    const messages = metrics.problems().map(({ message }) => message);
    expect(messages).toEqual([expect.stringMatching(/"shared" is claimed twice: ours@1.*theirs@1.*pins/)]);
  });

  test("an alias that is a built-in's name or alias means the built-in; the entry keeps its own name", async () => {
    const { metrics, values } = metricsOf({ pack: { mine: one("perplexity", "ppl") } });
    expect(metrics.inspect("perplexity").origin.kind).toBe("builtin");
    expect(metrics.inspect("ppl").name).toBe("perplexity");
    expect(await values("mine", "pack/ppl", "pack/perplexity")).toEqual([1, 1, 1]);
    expect(metrics.problems()).toEqual([]);
  });

  test("an alias that the program registers means the program's; the entry keeps its own name", async () => {
    const { metrics, values } = metricsOf({ pack: { mine: one("short") } });
    metrics.register("other", () => () => 5, { aliases: ["short"] });
    expect(await values("short", "mine", "pack/short")).toEqual([5, 1, 1]);
  });
});
