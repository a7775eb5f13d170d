/** A `package.json` whose fields have the wrong types: what is told, and what of the rest still works. */
import { afterAll, describe, expect, test } from "vitest";
import { createRegistries } from "../../src/faces/registry.ts";
import { Project } from "./project.ts";

const GROUP = "codex_ml.metrics";
const sound = { [GROUP]: { sound: "./index.js#build" } };

/** What is wrong: the fields that replace those of a sound manifest; what is told (nothing, where it does no harm). */
const wrong: Record<string, [fields: Record<string, unknown>, told: RegExp | undefined, works: boolean]> = {
  "name-is-a-number": [{ name: 7 }, undefined, true],
  "name-is-another": [{ name: "../../etc" }, undefined, true],
  "version-is-a-number": [{ version: 1 }, undefined, true],
  "type-is-a-list": [{ type: ["module"] }, undefined, true],
  "peers-are-a-list": [{ peerDependencies: ["codex-ml"] }, undefined, true],
  "peer-is-a-number": [{ peerDependencies: { "codex-ml": 99 } }, undefined, true],
  "dependencies-are-text": [{ dependencies: "sound" }, undefined, true],
  "exports-are-a-number": [
    { exports: 7 },
    /"sound": the package's "exports" do not give "\.\/index\.js"$/,
    false,
  ],
  "exports-are-true": [{ exports: true }, /"exports" do not give/, false],
  "exports-map-to-a-number": [{ exports: { "./index.js": 7 } }, /"exports" do not give/, false],
  "main-is-a-list": [{ main: ["./index.js"], codexMl: { [GROUP]: { sound: ".#build" } } }, undefined, true],
  "field-is-null": [{ codexMl: null }, /"codexMl" is an object of groups, not null/, false],
  "field-is-a-list": [{ codexMl: [sound] }, /"codexMl" is an object of groups, not an array of 1/, false],
  "field-is-false": [{ codexMl: false }, /"codexMl" is an object of groups, not false/, false],
  "group-is-text": [
    { codexMl: { [GROUP]: "./index.js" } },
    /is an object of names and targets, not "/,
    false,
  ],
  "group-is-null": [{ codexMl: { [GROUP]: null } }, /is an object of names and targets, not null/, false],
  "target-is-null": [
    { codexMl: { [GROUP]: { sound: null } } },
    /a target is a string such as .*, not null/,
    false,
  ],
  "target-is-a-list": [
    { codexMl: { [GROUP]: { sound: ["./index.js"] } } },
    /a target is a string such as .*, not an array of 1/,
    false,
  ],
  "target-is-empty": [{ codexMl: { [GROUP]: { sound: "" } } }, /the target "" does not read/, false],
  "target-is-missing": [
    { codexMl: { [GROUP]: { sound: { description: "x" } } } },
    /a target is a string such as .*, not undefined/,
    false,
  ],
  "aliases-are-text": [
    { codexMl: { [GROUP]: { sound: { target: "./index.js#build", aliases: "s" } } } },
    /"aliases" is an array of names, not "s"/,
    false,
  ],
  "an-alias-is-a-number": [
    { codexMl: { [GROUP]: { sound: { target: "./index.js#build", aliases: ["s", 7] } } } },
    /a name is a string, not 7/,
    false,
  ],
  "description-is-a-number": [
    { codexMl: { [GROUP]: { sound: { target: "./index.js#build", description: 7 } } } },
    /"description" is a string, not 7/,
    false,
  ],
  "plugins-are-true": [
    { codexMl: { ...sound, plugins: true } },
    /"plugins" is "auto", false or an array/,
    true,
  ],
  "a-plugin-is-a-number": [
    { codexMl: { ...sound, plugins: [7] } },
    /"plugins" is "auto", false or an array/,
    true,
  ],
  "pins-are-a-list": [{ codexMl: { ...sound, pins: [] } }, /"pins" is an object of names and packages/, true],
};

const manifest = { type: "module", codexMl: sound };
const files = { "index.js": "export const build = () => () => 1;" };
const projects: Project[] = [];
afterAll(() => {
  for (const project of projects) project.remove();
});
function create(...args: ConstructorParameters<typeof Project>): Project {
  const project = new Project(...args);
  projects.push(project);
  return project;
}

describe("a dependency", () => {
  test.each(Object.entries(wrong))("%s", async (name, [fields, told, works]) => {
    const { directory } = create({
      [name]: { manifest: { ...manifest, ...fields }, files },
      beside: { manifest: { codexMl: { [GROUP]: { beside: "./index.js#build" } } }, files },
    });
    const { metrics } = createRegistries({ root: directory });
    const problems = metrics.problems();
    expect(problems.map(({ message }) => message)).toEqual(
      told === undefined ? [] : [expect.stringMatching(told)],
    );
    for (const problem of problems) expect(problem).toMatchObject({ package: name });
    const isUsable = async (asked: string) =>
      metrics.has(asked) && (await metrics.get(asked).then(Boolean, () => false));
    expect(await isUsable("sound")).toBe(works);
    expect(await isUsable(`${name}/sound`)).toBe(works);
    expect(await isUsable("beside")).toBe(true);
    // Names and versions of the wrong type are not passed on as if they were some.
    for (const { origin } of metrics.entries().filter((entry) => entry.name === "sound"))
      expect([origin.package, typeof origin.version]).toEqual([
        name,
        name === "version-is-a-number" ? "undefined" : "string",
      ]);
  });
});

describe("the project", () => {
  test.each([
    ["dependencies are a list", { dependencies: ["beside"] }],
    ["dependencies are text", { dependencies: "beside" }],
    ["dependencies are null", { dependencies: null, devDependencies: 7, optionalDependencies: true }],
  ])("whose %s has none, and its own components work", async (_, fields) => {
    const { directory } = create({ beside: { metrics: { beside: "./index.js#build" }, files } });
    const own = create({}, { manifest: { name: 7, type: "module", ...fields, codexMl: sound }, more: files });
    const { metrics } = createRegistries({ root: own.directory });
    expect([metrics.has("beside"), metrics.problems()]).toEqual([false, []]);
    expect(metrics.inspect("sound").origin).toMatchObject({ package: "(root)", version: undefined });
    expect(await metrics.get("sound")).toBeTypeOf("function");
    expect(createRegistries({ root: directory }).metrics.has("beside")).toBe(true);
  });

  test("whose name leads out of node_modules, among its dependencies, is not followed", () => {
    const outside = create({}, { manifest: { codexMl: sound }, more: files });
    const names = [
      `../../${outside.directory.split("/").at(-1)}`,
      "..",
      ".",
      "a/b/c",
      "/etc",
      "node_modules",
      "",
    ];
    // With a package, so that there is a `node_modules` to be left.
    const { directory } = create(
      { beside: { files } },
      { manifest: { dependencies: Object.fromEntries(names.map((name) => [name, "*"])) } },
    );
    const { metrics } = createRegistries({ root: directory });
    expect(metrics.has("sound")).toBe(false);
    expect(metrics.problems()).toHaveLength(names.length);
  });
});

describe("names in a manifest", () => {
  const long = "a".repeat(300);
  const given = {
    constructor: "./index.js#build",
    [long]: "./index.js#build",
    "": "./index.js#build",
    "   ": "./index.js#build",
    naïve: "./index.js#build",
    метрика: "./index.js#build",
    "toy🎲": "./index.js#build",
    "to\u212Aen": "./index.js#build",
    "a\u202Eb": "./index.js#build",
  };
  const described = { target: "./index.js#build", description: " two\nlines,\u001b[2J\u202Ea trick " };
  const { directory } = create({ odd: { metrics: { ...given, described }, files } });
  const { metrics } = createRegistries({ root: directory });

  test("of 300 characters and of Object.prototype work like others", async () => {
    for (const name of [long, long.toUpperCase(), `odd/${long}`, "constructor"])
      expect(await metrics.get(name)).toBeTypeOf("function");
    expect(metrics.list()).toEqual(expect.arrayContaining([long, "constructor"]));
    const wrong = await metrics.get(`${long}b`).catch((error) => error);
    expect(wrong).toMatchObject({ code: "REGISTRY_NOT_FOUND", closest: [long] });
  });

  test("that are none are told one by one, with the character; control characters reach no terminal", () => {
    const messages = metrics.problems().map(({ message }) => message);
    expect(messages).toHaveLength(Object.keys(given).length - 2);
    expect(messages.filter((message) => /[\p{Cc}\p{Cf}]/u.test(message))).toEqual([]);
    for (const part of ["at least one character", "U+00EF", "U+043C", "U+1F3B2", "U+212A", "U+202E"])
      expect(
        messages.some((message) => message.includes(part)),
        part,
      ).toBe(true);
  });

  test("stand beside descriptions of one line, without control characters", () => {
    expect(metrics.inspect("described").description).toBe("two lines, [2J a trick");
  });
});
