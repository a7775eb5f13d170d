/** `codex-ml plugins new` with its arguments given: what it writes, where, and what it refuses. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { pluginKinds } from "../../src/plugins/new/request.ts";
import { Project, type Result, removeProjects, repository } from "../cli/project.ts";

afterEach(removeProjects);

const cli = join(repository, "dist", "cli.mjs");

const create = (project: Project, ...args: string[]): Promise<Result> =>
  project.run(["plugins", "new", ...args]);

describe("what it writes", () => {
  test.each(pluginKinds.map(({ word }) => word))(
    "a %s leaves nothing of its template to fill in",
    async (kind) => {
      const project = await Project.create();
      const { code, stdout, stderr } = await create(project, kind, "Mine");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const files = (await project.files("codex-ml-mine")).filter((file) => file !== "src");
      for (const file of files) {
        expect(stdout).toContain(`\n  ${file}\n`);
        expect(await project.text("codex-ml-mine", file)).not.toMatch(/my_component|my-package|this-year/);
      }
      expect(files).toEqual(
        expect.arrayContaining([".gitignore", "LICENSE", "README.md", "package.json", "run.yaml"]),
      );
    },
  );

  test("the manifest says what a plugin must, for this version of Codex ML", async () => {
    const project = await Project.create();
    await create(project, "metric", "mine");
    const { version, engines } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
    expect(JSON.parse(await project.text("codex-ml-mine", "package.json"))).toMatchObject({
      name: "codex-ml-mine",
      description: expect.stringMatching(/^A metric for Codex ML\. ./),
      keywords: ["codex-ml-plugin"],
      license: "MIT",
      engines,
      exports: { "./package.json": "./package.json" },
      peerDependencies: { "codex-ml": `^${version}` },
      codexMl: { "codex_ml.metrics": { mine: { target: ".#build" } } },
    });
  });

  test("the next steps begin with the folder, wherever it is", async () => {
    const project = await Project.create();
    const { stdout } = await create(project, "metric", "mine", "--dir", "deep down/here");
    expect(stdout).toContain("\n  cd 'deep down/here'\n  npm install\n");
  });
});

describe("names", () => {
  test.each([
    ["metric", "Mine", "mine", "codex-ml-mine"],
    ["METRICS", " a.b:c@d-e_f ", "a.b:c@d-e_f", "codex-ml-a-b-c-d-e-f"],
    ["data_loaders", "x_", "x_", "codex-ml-x"],
  ])("%s %j is called %j, in the package %s", async (kind, given, name, packageName) => {
    const project = await Project.create();
    expect((await create(project, kind, given)).code).toBe(0);
    const manifest = JSON.parse(await project.text(packageName, "package.json"));
    expect(manifest.name).toBe(packageName);
    expect(Object.keys(Object.values(manifest.codexMl)[0] as object)).toEqual([name]);
  });

  test("the folder of a scoped package is called as the package without its scope", async () => {
    const project = await Project.create();
    expect((await create(project, "model", "mine", "--package", "@me/my-model")).code).toBe(0);
    expect(JSON.parse(await project.text("my-model", "package.json")).name).toBe("@me/my-model");
  });

  test.each([
    [["metric", "perplexity"], /"perplexity" is built in and would answer/],
    [["metric", "PPL"], /"ppl" is built in \(as another name of perplexity\)/],
    [["metric", ""], /at least one character/],
    [["metric", "ma\u00eetre"], /"î" \(U\+00EE\) cannot be in a name/],
    [["metric", "_mine"], /begins with a letter or a digit/],
    [["metric", "../../mine"], /it has a "\/"\. Give .* such as mine;/],
    [["metric", "@me/mine"], /such as mine; the package's name comes with --package/],
    [["metric", "mine/"], /it has a "\/"/],
    [["metric", "x".repeat(300)], /cannot be a package's name: .*more than 214 characters/],
    [["metrix", "mine"], /no kind "metrix"; the kinds are .*Did you mean "metric"/],
    [["metric", "mine", "--package", "Mine"], /"Mine" cannot be a package's name: .*capital/],
    [["metric", "mine", "--package", "../mine"], /cannot be a package's name/],
    [["metric", "mine", "--package", "node_modules"], /cannot be a package's name/],
    [["metric", "mine", "--package", "fs"], /cannot be a package's name: fs is a core module/],
    [["metric", "mine", "--package", ""], /cannot be a package's name/],
    [["metric", "mine", "--package", "codex-ml"], /"codex-ml" is a package that yours will depend on/],
    [["metric", "mine", "--package", "zod"], /"zod" is a package that yours will depend on/],
    [["metric", "mine", "more"], /too many arguments/],
    [[], /a kind and a name are missing, and there is no terminal/],
    [["trainer"], /a name is missing, .* codex-ml plugins new trainer my_component/],
  ])("%j is asked wrongly, and nothing is written", async (args, message) => {
    const project = await Project.create();
    const { code, stdout, stderr } = await create(project, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(await project.files()).toEqual([]);
  });

  test("a name that every object has is a name like any other", async () => {
    const project = await Project.create();
    expect((await create(project, "metric", "constructor", "--package", "constructor")).code).toBe(0);
  });
});

describe("folders", () => {
  test("one that is not empty is left as it is", async () => {
    const project = await Project.create({ "mine/a": "1", "mine/b": "2", "mine/c": "3", "mine/d": "4" });
    const { code, stderr } = await create(project, "metric", "x", "--dir", "mine");
    expect(code).toBe(2);
    expect(stderr).toMatch(/mine is there already, and not empty: it has a, b, c and 1 more\. .*--dir/);
    expect(await project.files()).toEqual(["mine", "mine/a", "mine/b", "mine/c", "mine/d"]);
  });

  test.each(["file", "file/mine", "x".repeat(256)])("%s, which can be none, is refused", async (folder) => {
    const project = await Project.create({ file: "1" });
    const { code, stderr } = await create(project, "metric", "x", "--dir", folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot be the folder of a package: E[A-Z]+: .*--dir/);
    expect(await project.files()).toEqual(["file"]);
    expect(await project.text("file")).toBe("1");
  });

  test("the working directory is written to when it is empty but for a repository", async () => {
    const project = await Project.create({ ".git/HEAD": "ref" });
    const { code, stdout } = await create(project, "metric", "mine", "--dir", ".");
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/^ +cd /m);
    const files = await project.files();
    expect(files).toEqual(expect.arrayContaining([".git/HEAD", "package.json", "src/index.ts"]));
    expect(files.filter((file) => file.startsWith(".codex-ml"))).toEqual([]);
  });

  test("a link to an empty folder is followed", async () => {
    const project = await Project.create();
    mkdirSync(project.path("real"));
    symlinkSync("real", project.path("link"));
    expect((await create(project, "metric", "mine", "--dir", "link")).code).toBe(0);
    expect(await project.files("real")).toContain("package.json");
  });
});

describe("a write that fails half-way", () => {
  /** The licence is longer than the 1024 bytes that a file may then have. */
  const createInSmallFiles = (project: Project, folder: string) => {
    const command = `ulimit -f 1; '${process.execPath}' '${cli}' plugins new metric mine --dir ${folder}`;
    return spawnSync("bash", ["-c", command], { cwd: project.directory, encoding: "utf8" });
  };

  test.each([
    ["a new folder", "deep/down", []],
    ["an empty folder", "clone", ["clone", "clone/.git"]],
  ])("leaves nothing in %s, nor on the way there", async (_, folder, before) => {
    const project = await Project.create();
    if (before.length > 0) mkdirSync(project.path("clone", ".git"), { recursive: true });
    const { status, stdout, stderr } = createInSmallFiles(project, folder);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/Could not write .*: EFBIG: .*\. Nothing was left there\.\n$/);
    expect(await project.files()).toEqual(before);
  });

  test("leaves nothing when the last move is refused", async () => {
    const project = await Project.create();
    const { code, stderr } = await create(project, "metric", "mine", "--dir", `a/b/${"x".repeat(256)}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Could not write .*: ENAMETOOLONG: .* rename .*Nothing was left there/);
    expect(await project.files()).toEqual([]);
  });
});
