/** `plugins types`: the file that it writes, read by the real compiler in the project that it is written for. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, removeProjects, repository } from "./project.ts";

const toys = ["data-loader", "metric", "model", "tokenizer", "trainer"].map((kind) => `codex-ml-toy-${kind}`);

/** A package with a metric or several. */
function plugin(name: string, entries: Readonly<Record<string, unknown>>, declarations?: string) {
  const folder = `node_modules/${name}`;
  const manifest = { name, version: "1.0.0", type: "module", exports: "./index.js" };
  return {
    [`${folder}/package.json`]: JSON.stringify({ ...manifest, codexMl: { "codex_ml.metrics": entries } }),
    [`${folder}/index.js`]: "export const build = (options) => () => options.size;",
    ...(declarations === undefined ? {} : { [`${folder}/index.d.ts`]: declarations }),
  };
}

const sized = "export declare function build(options: { size: number }): () => number;\n";
const packages = {
  // Without types.
  ...plugin("plain", { plain: ".#build" }),
  // Whose types lack the export.
  ...plugin("lacking", { lacking: ".#build" }, "export declare const other: number;\n"),
  // That augment CodexMl themselves, with the same type and with another.
  ...plugin(
    "same",
    { same: ".#build" },
    `${sized}declare global { namespace CodexMl { interface Metrics { same: typeof build } } }\n`,
  ),
  ...plugin(
    "different",
    { different: ".#build" },
    `${sized}declare global { namespace CodexMl { interface Metrics { different: (options: { own: string }) => () => number } } }\n`,
  ),
  // Of names that a built-in has, that two have, and that are no identifiers.
  ...plugin("@scope/many", { perplexity: ".#build", contested: ".#build", pinned: ".#build" }, sized),
  ...plugin(
    "rival",
    { contested: ".#build", pinned: ".#build", "2d@size": { target: ".#build", aliases: ["two-d"] } },
    sized,
  ),
  // Of a package that another brings.
  ...plugin("forwarded", { forwarded: ".#build" }, sized),
  "node_modules/forwards/package.json": JSON.stringify({
    name: "forwards",
    version: "1.0.0",
    codexMl: { plugins: ["forwarded"] },
  }),
};

const manifest = {
  name: "own-project",
  version: "1.0.0",
  type: "module",
  dependencies: Object.fromEntries(
    [...toys, "plain", "lacking", "same", "different", "@scope/many", "rival", "forwards"].map((name) => [
      name,
      "*",
    ]),
  ),
  codexMl: {
    pins: { "metrics/pinned": "rival" },
    "codex_ml.metrics": { own: "./src/own.ts", "own.plain": "./own-plain.js#build" },
  },
};

/** Every call that must not compile ends in the code of its error. */
const use = `import { getDataLoader, getMetric, getModel, getTokenizer, getTrainer } from "codex-ml/registry";

// Right options.
await getTokenizer("toy_tokenizer");
await getTokenizer("toy_tokenizer", { alphabet: "abc" });
await getTokenizer("codex-ml-toy-tokenizer/toy_tokenizer", { alphabet: "abc" });
await getDataLoader("toy_data_loader", { sentences: 20 });
await getModel("toy_model", { vocabSize: 10, hiddenSize: 8 });
await getTrainer("toy_trainer", { maxSteps: 10 });
await getMetric("toy_metric", {});
await getMetric("own", { k: 3 });
await getMetric("two-d", { size: 3 });
await getMetric("pinned", { size: 3 });

// Results.
const tokenizer = await getTokenizer("toy_tokenizer");
tokenizer.vocabSize.toFixed();
tokenizer.vocabsize; // TS2551
const own = await getMetric("own", { k: 3 });
own.unit.toUpperCase();
own.unity; // TS2551
const plain = await getMetric("plain");
plain.unity; // TS2339

// Wrong options.
await getTokenizer("toy_tokenizer", { alfabet: "abc" }); // TS2353
await getTokenizer("codex-ml-toy-tokenizer/toy_tokenizer", { alphabet: 7 }); // TS2322
await getDataLoader("toy_data_loader", { sentences: "20" }); // TS2322
await getModel("toy_model", { hiddenSize: 8 }); // TS2345
await getModel("toy_model"); // TS2554
await getTrainer("toy_trainer", { maxStep: 10 }); // TS2561
await getMetric("toy_metric", { beta: 1 }); // TS2322
await getMetric("own", { k: "3" }); // TS2322
await getMetric("own-project/own"); // TS2554
await getMetric("2d@size", { size: "3" }); // TS2322
await getMetric("rival/two-d", { size: "3" }); // TS2322
await getMetric("pinned", { size: "3" }); // TS2322
await getMetric("same", { size: "3" }); // TS2322
await getMetric("different", { own: 1 }); // TS2322
await getMetric("@scope/many/perplexity", { size: "3" }); // TS2322
await getMetric("perplexity", { size: 3 }); // TS2322

// What has no types, and what two claim, takes anything.
await getMetric("plain", { size: "3" });
await getMetric("lacking", { size: "3" });
await getMetric("contested", { size: "3" });
await getMetric("somebody-elses", { size: "3" });
await getTokenizer("own", { size: "3" });
`;

const tsconfig = {
  compilerOptions: {
    noEmit: true,
    strict: true,
    target: "es2022",
    module: "nodenext",
    lib: ["esnext", "dom", "dom.asynciterable"],
    types: ["node"],
  },
  include: ["*.ts", "src", "types"],
};

/** The errors of the real compiler, one a line. */
async function compile(project: Project, ...options: string[]): Promise<readonly string[]> {
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", ".", ...options], {
    cwd: project.directory,
  }).catch((error: { stdout: string }) => error);
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}

/** `use.ts(5): TS2322` for each line that must not compile. */
const expected = use.split("\n").flatMap((line, index) => {
  const [, code] = / \/\/ (TS\d+)$/.exec(line) ?? [];
  return code === undefined ? [] : [`use.ts(${index + 1}): ${code}`];
});

const shorten = (errors: readonly string[]) =>
  errors.map((line) => line.replace(/^(\S+\(\d+),\d+\): error (TS\d+).*/, "$1): $2"));

async function projectOf(files: Readonly<Record<string, string>>): Promise<Project> {
  const project = await Project.create({ "tsconfig.json": JSON.stringify(tsconfig), ...files });
  await project.linkCodexMl();
  await symlink(join(repository, "node_modules", "@types"), project.path("node_modules", "@types"), "dir");
  return project;
}

let project: Project;
beforeAll(async () => {
  project = await projectOf({
    "package.json": JSON.stringify(manifest),
    "src/own.ts": `class Own { readonly unit = "ms" }
      const build = ({ k }: { k: number }) => Object.assign(() => k, new Own());
      export default build;\n`,
    "own-plain.js": "export const build = () => () => 1;",
    "use.ts": use,
    ...packages,
  });
  for (const name of toys)
    await project.copy(join(repository, "examples", "plugins", name), `node_modules/${name}`);
});
afterAll(removeProjects);

describe("plugins types", () => {
  test("is checked, written, and checked again; and written only when something changed", async () => {
    const missing = await project.run(["plugins", "types", "--check"]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toMatch(/codex-ml-env\.d\.ts is missing: run `codex-ml plugins types`/);
    expect(await project.files()).not.toContain("codex-ml-env.d.ts");

    const written = await project.run(["plugins", "types"], { cwd: project.path("src") });
    expect(written).toMatchObject({ code: 0, stderr: "" });
    expect(written.stdout).toMatch(/written: 15 typed, 3 without types/);
    expect(written.stdout).toContain("metrics/plain: plain has no types");
    expect(written.stdout).toContain("metrics/own.plain: ./own-plain.js has no types");
    expect(written.stdout).toContain("metrics/forwarded: forwarded comes through another package");
    expect(written.stdout).toContain("contested");
    const text = await project.text("codex-ml-env.d.ts");
    expect(text).toContain("Generated by `codex-ml plugins types`");
    expect(text).not.toContain(project.directory);
    // Who answers for a name: nobody for what two claim, the pinned package, never one whom a built-in shadows.
    expect(text.match(/^ +(\S*(perplexity|contested|pinned)"?): .*$/gm)?.map((line) => line.trim())).toEqual([
      '"@scope/many/contested": typeof import("@scope/many").build;',
      '"@scope/many/perplexity": typeof import("@scope/many").build;',
      '"@scope/many/pinned": typeof import("@scope/many").build;',
      'pinned: typeof import("rival").build;',
      '"rival/contested": typeof import("rival").build;',
      '"rival/pinned": typeof import("rival").build;',
    ]);

    const current = await project.run(["plugins", "types", "--check"]);
    expect(current).toMatchObject({ code: 0, stderr: "" });
    await project.write("codex-ml-env.d.ts", text.replaceAll("\n", "\r\n"));
    expect((await project.run(["plugins", "types"])).stdout).toContain("is up to date");
    expect(await project.text("codex-ml-env.d.ts")).toContain("\r\n");

    await project.write("codex-ml-env.d.ts", text.replace("toy_metric", "tiny_metric"));
    const stale = await project.run(["plugins", "types", "--check"]);
    expect(stale.code).toBe(1);
    expect(stale.stderr).toContain("codex-ml-env.d.ts is out of date: run `codex-ml plugins types`");
    expect(await project.text("codex-ml-env.d.ts")).toContain("tiny_metric");
    await project.run(["plugins", "types"]);
    expect(await project.text("codex-ml-env.d.ts")).toBe(text);
  });

  test.each([
    ["module nodenext", []],
    ["a bundler's resolution", ["--module", "esnext", "--moduleResolution", "bundler"]],
    ["checked JavaScript", ["--allowJs", "--checkJs"]],
    ["no checks of declarations", ["--skipLibCheck"]],
  ])("right options compile, wrong ones do not, and nothing else breaks: %s", async (_, options) => {
    expect((await project.run(["plugins", "types"])).code).toBe(0);
    expect(shorten(await compile(project, ...options))).toEqual(expected);
  });

  test("--out puts the file elsewhere, with imports relative to there", async () => {
    const out = "types/codex.d.ts";
    expect((await project.run(["plugins", "types", "--out", out])).code).toBe(0);
    expect(await project.text(out)).toContain('own: typeof import("../src/own.js").default');
    expect(await project.text(out)).toContain("`codex-ml plugins types --out types/codex.d.ts`");
    expect((await project.run(["plugins", "types", "--out", out, "--check"])).code).toBe(0);
    const { code, stderr } = await project.run(["plugins", "types", "--out", "types.ts"]);
    expect(code).toBe(2);
    expect(stderr).toContain("does not end in .d.ts");
  });

  test("imports no component", async () => {
    const logger = fileURLToPath(new URL("../registry/fixtures/log-imports.mjs", import.meta.url));
    const log = project.path("imports.log");
    const options = { node: ["--import", logger], env: { LOG_IMPORTS_TO: log } };
    expect((await project.run(["plugins", "types"], options)).code).toBe(0);
    const loaded = readFileSync(log, "utf8").split("\n");
    expect(loaded.filter((url) => url.endsWith("/dist/cli.mjs"))).toHaveLength(1);
    expect(loaded.filter((url) => url.startsWith(`file://${project.directory}`))).toEqual([]);
  });

  test("is refused while plugins are off, rather than writing that there are none", async () => {
    const before = await project.text("codex-ml-env.d.ts");
    const { code, stderr } = await project.run(["plugins", "types"], { env: { CODEX_ML_PLUGINS: "off" } });
    expect(code).toBe(2);
    expect(stderr).toContain("CODEX_ML_PLUGINS=off");
    expect(await project.text("codex-ml-env.d.ts")).toBe(before);
  });

  test("of a project without plugins compiles", async () => {
    const bare = await projectOf({
      "package.json": '{ "name": "bare", "type": "module" }',
      "use.ts": `import { getMetric } from "codex-ml/registry";\nawait getMetric("perplexity", { size: 3 }); // TS2322\n`,
    });
    expect((await bare.run(["plugins", "types"])).stdout).toMatch(/written: 0 typed/);
    expect(shorten(await compile(bare))).toEqual(["use.ts(2): TS2322"]);
  });
});

test("the declarations of the example plugins say what their code says", async () => {
  const sources = toys.map((name) => (name.endsWith("metric") ? `${name}/metric` : `${name}/index`));
  const code = await projectOf({
    "package.json": '{ "type": "module" }',
    "check.ts": sources
      .map(
        (path, at) => `import { build as code${at} } from "./code/${path}.js";
          import { build as declared${at} } from "./declared/${path}.js";
          export const build${at}: typeof declared${at} = code${at};`,
      )
      .join("\n"),
  });
  for (const path of sources) {
    const source = join(repository, "examples", "plugins", path);
    await code.copy(`${source}.js`, `code/${path}.js`);
    await code.copy(`${source}.js`, `declared/${path}.js`);
    await code.copy(`${source}.d.ts`, `declared/${path}.d.ts`);
  }
  const errors = await compile(code, "--allowJs", "--checkJs", "--noImplicitAny", "false");
  expect(errors).toEqual([]);
});
