/** Imports that take their time, fail, register things themselves: what the registry makes of them. */
import { afterAll, describe, expect, test } from "vitest";
import { Project } from "./project.ts";

const sound = "export const build = () => () => 1;";

const project = new Project({
  sound: { metrics: { sound: "./index.js#build" }, files: { "index.js": sound } },
  awaits: {
    metrics: { awaits: "./index.js#build", second: "./index.js#second" },
    files: {
      "index.js": `globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;
        const value = await new Promise((done) => setTimeout(done, 20, 7));
        export const build = () => () => value;
        export const second = () => () => value + 1;`,
    },
  },
  stuck: {
    manifest: { version: "3.1.4" },
    metrics: { stuck: "./index.js#build" },
    files: {
      "index.js": `globalThis.begun = (globalThis.begun ?? 0) + 1; await new Promise(() => {}); ${sound}`,
    },
  },
  slow: {
    metrics: { slow: "./index.js#build" },
    files: {
      "index.js": `globalThis.begun = (globalThis.begun ?? 0) + 1;
        await new Promise((done) => { globalThis.release = done; }); ${sound}`,
    },
  },
  // Needs itself while it is imported.
  circular: {
    metrics: { circular: "./index.js#build" },
    files: { "index.js": `await globalThis.metrics.get("circular"); ${sound}` },
  },
  "throws-once": {
    metrics: { throws_once: "./index.js#build" },
    files: { "index.js": `if (!globalThis.mended) throw new Error("not yet"); ${sound}` },
  },
  "throws-once-in-commonjs": {
    metrics: { throws_once_cjs: "./index.cjs#build" },
    files: {
      "index.cjs": `exports.build = () => () => 1; if (!globalThis.mended) throw new Error("not yet");`,
    },
  },
  "to-be-built": { metrics: { unbuilt: "./dist/index.js#build" } },
  "syntax-error": {
    metrics: { syntax_error: "./index.js#build" },
    files: { "index.js": "export const build = () => () => ;" },
  },
  "throws-in-factory": {
    metrics: { throws_in_factory: "./index.js#build" },
    files: { "index.js": 'export const build = () => { throw new TypeError("no licence"); };' },
  },
  "gives-nothing": {
    metrics: { gives_nothing: "./index.js#build", promises_nothing: "./index.js#later" },
    files: { "index.js": "export const build = () => {}; export const later = async () => null;" },
  },
  "gives-a-promise": {
    metrics: { promise: "./index.js#build" },
    files: { "index.js": "export const build = async () => async () => 5;" },
  },
  "gives-an-odd-thing": {
    metrics: { odd: "./index.js#build" },
    files: { "index.js": "export const build = () => ({ update() {}, compute: 7 });" },
  },
  "makes-a-scope": {
    metrics: { scoping: "./index.js#build" },
    files: {
      "index.js": `globalThis.scope = globalThis.metrics.temporarily({ sound: () => () => 80 });
        export const build = () => () => 8;`,
    },
  },
  "registers-itself": {
    metrics: { self: "./index.js#build" },
    files: {
      "index.js": `const { register } = globalThis.metrics;
        export const build = register("self", () => () => 6);
        register("beside", () => () => 7);`,
    },
  },
});
afterAll(() => project.remove());

/** What a listing says that must not depend on what was loaded before. */
const listing = `const listing = () => [
  metrics.list(),
  metrics.problems(),
  metrics.entries().map(({ name, aliases, description, qualifiedName, origin }) =>
    [name, aliases, description, qualifiedName, origin.kind, origin.package, origin.target]),
];`;

describe.concurrent("an import", () => {
  test("may await at its top level; whoever asks meanwhile waits for the same one", async () => {
    const program = `
      const values = await Promise.all(["awaits", "second", "awaits"].map(compute));
      print({ values, evaluated: globalThis.evaluated });`;
    expect(await project.run(program)).toEqual({ values: [7, 8, 7], evaluated: 1 });
  });

  test("that never settles ends as a load error that names component and package; others load meanwhile", async () => {
    const program = `
      const failing = metrics.get("stuck").catch((error) => error);
      const value = await compute("sound");
      const { name, code, component, package: owner, version, message } = await failing;
      const { status } = metrics.inspect("stuck").origin;
      print({ value, name, code, component, owner, version, message, status });`;
    expect(await project.run(program, { env: { CODEX_ML_IMPORT_TIMEOUT: "0.2" } })).toEqual({
      value: 1,
      name: "RegistryLoadError",
      code: "REGISTRY_LOAD_FAILED",
      component: "stuck",
      owner: "stuck",
      version: "3.1.4",
      message: expect.stringMatching(
        /metric "stuck" \(stuck@3\.1\.4, .*its import has not settled after 0\.2 s \(CODEX_ML_IMPORT_TIMEOUT/,
      ),
      status: "failed",
    });
  });

  test("that needs itself ends the same way", async () => {
    const program = `globalThis.metrics = metrics;
      print(await metrics.get("circular").catch(({ message }) => message));`;
    expect(await project.run(program, { env: { CODEX_ML_IMPORT_TIMEOUT: "0.2" } })).toMatch(
      /"circular".*has not settled/,
    );
  });

  test("that was too slow goes on: who asks again waits for that one, and no second one is begun", async () => {
    const program = `
      const first = await metrics.get("slow").catch(({ code }) => code);
      const again = compute("slow");
      globalThis.release();
      print({ first, again: await again, begun: globalThis.begun, status: metrics.inspect("slow").origin.status });`;
    expect(await project.run(program, { env: { CODEX_ML_IMPORT_TIMEOUT: "0.2" } })).toEqual({
      first: "REGISTRY_LOAD_FAILED",
      again: 1,
      begun: 1,
      status: "loaded",
    });
  });

  test.each(["0", "", "soon", "-1", "1e99"])(
    "is waited for, with CODEX_ML_IMPORT_TIMEOUT=%j",
    async (value) => {
      const env = { CODEX_ML_IMPORT_TIMEOUT: value };
      expect(await project.run(`print(await compute("awaits"));`, { env })).toBe(7);
    },
  );

  test("keeps no process alive once it has settled", async () => {
    const started = performance.now();
    await project.run(`await compute("sound"); print(null);`);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test("that failed succeeds when asked for again, once what was wrong is mended", async () => {
    const names = ["throws_once", "throws_once_cjs", "unbuilt", "syntax_error"];
    const program = `
      const { mkdirSync, writeFileSync } = await import("node:fs");
      const names = ${JSON.stringify(names)};
      const ask = () => Promise.all(names.map((name) => compute(name).catch(({ code }) => code)));
      const before = [await ask(), await ask()];
      globalThis.mended = true;
      mkdirSync("node_modules/to-be-built/dist");
      for (const file of ["to-be-built/dist", "syntax-error"])
        writeFileSync("node_modules/" + file + "/index.js", ${JSON.stringify(sound)});
      print({ before, after: await ask(), status: names.map((name) => metrics.inspect(name).origin.status) });`;
    const failed = names.map(() => "REGISTRY_LOAD_FAILED");
    expect(await project.run(program)).toEqual({
      before: [failed, failed],
      after: names.map(() => 1),
      status: names.map(() => "loaded"),
    });
  });
});

describe.concurrent("a factory of a package", () => {
  test.each([
    [
      "throws_in_factory",
      /^Could not build metric "throws_in_factory" \(throws-in-factory@1\.0\.0, .*no licence/,
    ],
    ["gives_nothing", /returned undefined; expected .* This is for gives-nothing@1\.0\.0 to mend\./],
    ["promises_nothing", /returned null; expected .* This is for gives-nothing@1\.0\.0 to mend\./],
    ["odd", /returned an object \{ update, compute \}; .* for gives-an-odd-thing@1\.0\.0 to mend\./],
  ])("that is wrong is told with its package, and the others work: %s", async (name, expected) => {
    const program = `print([await metrics.create("${name}").catch(({ message }) => message), await compute("sound")]);`;
    expect(await project.run(program)).toEqual([expect.stringMatching(expected), 1]);
  });

  test("may give a promise", async () => {
    expect(await project.run(`print(await compute("promise"));`)).toBe(5);
  });
});

describe.concurrent("a listing", () => {
  test("is the same before and after everything was asked for, whatever came of it", async () => {
    const program = `${listing}
      globalThis.metrics = { get: async () => { throw new Error("not now"); }, register: (name, build) => build };
      const before = listing();
      const outcomes = await Promise.allSettled(metrics.list().map((name) => metrics.create(name)));
      print({ before, after: listing(), outcomes: new Set(outcomes.map(({ status }) => status)).size });`;
    const printed = await project.run(program, { env: { CODEX_ML_IMPORT_TIMEOUT: "1" } });
    const { before, after, outcomes } = printed as Record<string, unknown>;
    expect(after).toEqual(before);
    expect(outcomes).toBe(2);
  });

  test("has what a plugin registers while it is imported, which answers as the package's own does", async () => {
    const program = `globalThis.metrics = metrics;
      const before = metrics.list();
      const factory = await metrics.get("self");
      const again = await metrics.get("self");
      const states = metrics.entries().filter(({ name }) => name === "self").map(({ origin }) => [origin.kind, origin.status]);
      print({
        added: metrics.list().filter((name) => !before.includes(name)),
        same: again === factory && factory === (await metrics.get("registers-itself/self")),
        states,
        place: metrics.inspect("beside").origin.location,
        values: [await compute("self"), await compute("beside")],
        problems: metrics.problems().length,
      });`;
    expect(await project.run(program)).toEqual({
      added: ["beside"],
      same: true,
      states: [
        ["program", "loaded"],
        ["entry-point", "shadowed"],
      ],
      place: expect.stringMatching(/registers-itself[\\/]index\.js:3$/),
      values: [6, 7],
      problems: 1,
    });
  });
});

describe.concurrent("a temporary registration", () => {
  const begins = "while (globalThis.release === undefined) await new Promise((done) => setTimeout(done, 1));";

  test("made while the package's own is imported answers meanwhile, and that import is the one that answers after it", async () => {
    const program = `
      const loading = metrics.get("slow");
      ${begins}
      const before = metrics.inspect("slow").origin.kind;
      const scope = metrics.temporarily({ slow: () => () => 9 });
      const during = [metrics.inspect("slow").origin.kind, await compute("slow")];
      globalThis.release();
      const loaded = await loading;
      const still = await compute("slow");
      scope[Symbol.dispose]();
      print({ before, during, still, after: await compute("slow"), same: (await metrics.get("slow")) === loaded,
        begun: globalThis.begun });`;
    expect(await project.run(program)).toEqual({
      before: "entry-point",
      during: ["temporary", 9],
      still: 9,
      after: 1,
      same: true,
      begun: 1,
    });
  });

  test("ended while the package's own is imported leaves that import alone; nested ones end in any order", async () => {
    const program = `
      const names = ["slow", "sound", "fresh"];
      const scopes = [1, 2, 3].map((value) =>
        metrics.temporarily(Object.fromEntries(names.map((name) => [name, () => () => value]))));
      const values = async () => Promise.all(names.map((name) => compute(name).catch(({ code }) => code)));
      const loading = metrics.get("slow/slow");
      ${begins}
      const seen = [await values()];
      for (const index of [1, 0, 2]) {
        if (index === 2) globalThis.release();
        scopes[index][Symbol.dispose]();
        seen.push(index === 2 ? [await loading, ...await values()].slice(1) : await values());
      }
      print(seen);`;
    const held = (value: number) => [value, value, value];
    expect(await project.run(program)).toEqual([held(3), held(3), held(3), [1, 1, "REGISTRY_NOT_FOUND"]]);
  });

  test("that a plugin makes while it is imported lasts until that plugin ends it", async () => {
    const program = `globalThis.metrics = metrics;
      const during = [await compute("scoping"), await compute("sound")];
      globalThis.scope[Symbol.dispose]();
      print([...during, await compute("sound"), metrics.problems().length]);`;
    expect(await project.run(program)).toEqual([8, 80, 1, 1]);
  });
});
