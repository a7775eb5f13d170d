/** A name that only a package has which a list of plugins leaves out: the error says so. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createRegistries, type DiscoveryOptions } from "../../src/faces/registry.ts";
import { Project } from "./project.ts";

const files = { "index.js": "throw new Error('nobody asked for this module');" };
const packages = {
  allowed: { metrics: { allowed: "./index.js" }, files },
  hidden: { metrics: { toy: { target: "./index.js", aliases: ["t"] } }, files },
  "@scope/hidden": { metrics: { scoped: "./index.js" }, files },
  torn: { files: { "package.json": "{" } },
};

const projects: Project[] = [];
afterAll(() => {
  for (const project of projects) project.remove();
});

/** What is said of a name in a project that depends on all of them, with these lists. */
async function told(
  name: string,
  ofProject: unknown,
  ofProgram?: DiscoveryOptions["plugins"],
): Promise<string> {
  const manifest = ofProject === undefined ? {} : { codexMl: { plugins: ofProject } };
  const dependencies = {
    ...Object.fromEntries(Object.keys(packages).map((one) => [one, "*"])),
    "not-installed": "*",
  };
  const project = new Project(packages, { manifest: { ...manifest, dependencies } });
  projects.push(project);
  mkdirSync(join(project.directory, "src"));
  const { metrics } = createRegistries({
    root: join(project.directory, "src"),
    ...(ofProgram === undefined ? {} : { plugins: ofProgram }),
  });
  const error: unknown = await metrics.get(name).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  return (error as Error).message.replaceAll(project.directory, "PROJECT");
}

describe("an unknown name that a left-out dependency declares", () => {
  test.each(["toy", "TOY", "t", "hidden/toy", "hidden/t"])(
    "%s: names the package and the project's list",
    async (name) => {
      expect(await told(name, ["allowed"])).toContain(
        'The dependency "hidden" declares it, but "codexMl.plugins" in PROJECT/package.json leaves that package out; add its name there to use it.',
      );
    },
  );

  test("a scoped package too", async () => {
    expect(await told("scoped", ["allowed"])).toContain('The dependency "@scope/hidden" declares it');
  });

  test("names the list of the program or run when that is the one", async () => {
    expect(await told("toy", ["allowed", "hidden"], ["allowed"])).toContain(
      'The dependency "hidden" declares it, but the list "plugins" of this program or run leaves that package out',
    );
    expect(await told("toy", undefined, ["allowed"])).toContain('the list "plugins" of this program or run');
  });

  test("says it of a pin that cannot be met as well", async () => {
    const project = new Project(packages, {
      manifest: {
        dependencies: { allowed: "*", hidden: "*" },
        codexMl: { plugins: ["allowed"], pins: { "metrics/toy": "hidden" } },
      },
    });
    projects.push(project);
    const { metrics } = createRegistries({ root: project.directory });
    await expect(metrics.get("toy")).rejects.toThrow(
      /The pin "metrics\/toy" names "hidden"[\s\S]*The dependency "hidden" declares it/,
    );
  });

  test("never says that a left-out direct dependency is none", async () => {
    expect(await told("hidden/other", ["allowed"])).not.toContain("is none of the plugins");
    expect(await told("gone/other", ["allowed"])).toContain('"gone" is none of the plugins');
  });
});

describe("nothing of the sort is said", () => {
  test.each<[string, string, unknown, DiscoveryOptions["plugins"]]>([
    ["of a name that nobody declares", "other", ["allowed"], undefined],
    ["of another package's name", "allowed/toy", ["allowed"], undefined],
    ["without a list", "other", undefined, "auto"],
    ["when plugins are off, which is said instead", "toy", false, undefined],
    ["when the program wants none", "toy", ["allowed"], false],
  ])("%s", async (_, name, ofProject, ofProgram) => {
    const message = await told(name, ofProject, ofProgram);
    expect(message).not.toContain("leaves that package out");
    expect(message.includes("No package was looked at")).toBe(ofProject === false || ofProgram === false);
  });

  test("and another kind of component is not meant", async () => {
    const project = new Project(packages, {
      manifest: { dependencies: { hidden: "*" }, codexMl: { plugins: [] } },
    });
    projects.push(project);
    const { models } = createRegistries({ root: project.directory });
    const error: unknown = await models.get("toy").catch((error: unknown) => error);
    expect(String(error)).not.toContain("hidden");
  });
});

test("what a list leaves out is not read until such an error is told", () => {
  const project = new Project(packages, {
    manifest: { dependencies: { allowed: "*", torn: "*" }, codexMl: { plugins: ["allowed"] } },
  });
  projects.push(project);
  const { metrics } = createRegistries({ root: project.directory });
  expect([metrics.has("allowed"), metrics.problems()]).toEqual([true, []]);
});
