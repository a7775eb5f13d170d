/** Packages that are links (`npm link`, `"file:"`, pnpm): known by where they really are. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toJson } from "./packages.ts";
import { Project } from "./project.ts";

/** Elsewhere on the disk: a plugin that a developer works on, with its own dependency installed beside it. */
const elsewhere = new Project(
  { helper: { files: { "index.js": "export const value = 5;" } } },
  {
    manifest: {
      name: "linked",
      version: "2.3.4",
      type: "module",
      codexMl: { "codex_ml.metrics": { linked: "./lib/index.js#build" } },
    },
    more: {
      "lib/index.js": `import { value } from "helper/index.js"; export const build = () => () => value;`,
    },
  },
);
const project = new Project({ placeholder: {} });
const links = join(project.directory, "node_modules");

beforeAll(() => {
  const names = ["linked", "@scope/linked", "twice", "gone"];
  project.write({
    "package.json": toJson({ dependencies: Object.fromEntries(names.map((name) => [name, "*"])) }),
  });
  mkdirSync(join(links, "@scope"));
  symlinkSync(elsewhere.directory, join(links, "linked"), "dir");
  symlinkSync(elsewhere.directory, join(links, "@scope/linked"), "dir");
  // A link to a link.
  symlinkSync("linked", join(links, "twice"), "dir");
  symlinkSync(join(elsewhere.directory, "never-was"), join(links, "gone"), "dir");
});
afterAll(() => {
  project.remove();
  elsewhere.remove();
});

test("a linked package finds its own dependencies, and is the module that an import of it gives", async () => {
  const program = `
    const { build } = await import("linked/lib/index.js");
    const factories = await Promise.all(["linked", "@scope/linked", "twice"].map((name) => metrics.get(name + "/linked")));
    print({
      same: factories.every((factory) => factory === build),
      value: await compute("linked/linked"),
      origins: metrics.entries().filter(({ name }) => name === "linked").map(({ origin }) => [origin.package, origin.version, origin.location]),
    });`;
  const location = join(elsewhere.directory, "package.json");
  expect(await project.run(program)).toEqual({
    same: true,
    value: 5,
    origins: ["linked", "@scope/linked", "twice"].map((name) => [name, "2.3.4", location]),
  });
});

test("a link that leads nowhere is a package that is not installed, and the others work", async () => {
  const program = `print([metrics.problems().map(({ message }) => message), await compute("linked/linked")]);`;
  expect(await project.run(program)).toEqual([
    expect.arrayContaining([expect.stringMatching(/^gone: not installed, though .*package\.json names it$/)]),
    5,
  ]);
});

test("a package that is moved away after it was listed fails by its name, and works again once it is back", async () => {
  const away = `${elsewhere.directory}-moved`;
  const program = `
    const { renameSync } = await import("node:fs");
    metrics.list();
    const [here, away] = ${JSON.stringify([elsewhere.directory, away])};
    renameSync(here, away);
    const { code, message } = await metrics.get("linked/linked").catch((error) => error);
    renameSync(away, here);
    print({ code, message, value: await compute("linked/linked") });`;
  expect(await project.run(program)).toEqual({
    code: "REGISTRY_LOAD_FAILED",
    message: expect.stringMatching(/metric "linked" \(linked@2\.3\.4, .*ENOENT/),
    value: 5,
  });
});
