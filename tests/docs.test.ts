/** The documents: links lead somewhere, and the plugin that they build works as they say. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cp, symlink } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { globSync } from "tinyglobby";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, removeProjects, repository } from "./cli/project.ts";

const documents = globSync(["*.md", "{docs,examples,bench,tests}/**/*.md"], {
  cwd: repository,
  ignore: ["**/node_modules/**"],
}).sort();

/** Text without its blocks of code. */
const withoutBlocks = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, "");

/** Where a document can be linked into: its headings as GitHub spells them, those that come twice with a number. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutBlocks(text).matchAll(/^#{1,6} +(.*)$/gm)) {
    const words = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const again = [...anchors].filter((one) => one.replace(/-\d+$/, "") === anchor).length;
    anchors.add(again === 0 ? anchor : `${anchor}-${again}`);
  }
  return anchors;
}

/** Links of a document that lead nowhere. Addresses of other sites are not looked at. */
function brokenLinks(document: string): readonly string[] {
  const text = readFileSync(join(repository, document), "utf8");
  const links = withoutBlocks(text)
    .replaceAll(/`[^`\n]*`/g, "")
    .matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/i.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const file = path === "" ? join(repository, document) : resolve(repository, dirname(document), path);
    if (awaited.has(relative(repository, file))) return [];
    if (!existsSync(file)) return [link];
    if (anchor === undefined || anchorsOf(readFileSync(file, "utf8")).has(anchor)) return [];
    return [link];
  });
}

/** Pages that come with the command that they are about. */
const awaited: ReadonlySet<string> = new Set(["docs/plugins/doctor.md"]);

describe("links", () => {
  test.each(documents)("of %s lead to files and headings that exist", (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });

  test("are looked for in every document", () => {
    expect(documents).toEqual(expect.arrayContaining(["README.md", "docs/plugins/reference/metrics.md"]));
  });
});

describe("the plugin that docs/plugins/write-a-plugin.md builds", () => {
  const read = (name: string) => readFileSync(join(repository, "docs", "plugins", name), "utf8");
  const files = Object.fromEntries(
    [...read("write-a-plugin.md").matchAll(/^<!-- file: (\S+) -->\n```\w+\n([\s\S]*?)^```/gm)].map(
      ([, name = "", text = ""]) => [name, text],
    ),
  );
  const use = read("use-plugins.md");
  const name = "codex-ml-first-tokens";
  let plugin: Project;
  let project: Project;

  beforeAll(async () => {
    plugin = await Project.create(files);
    project = await Project.create({
      "package.json": JSON.stringify({ name: "reader", type: "module", dependencies: { [name]: "*" } }),
      "tsconfig.json": JSON.stringify({
        compilerOptions: {
          noEmit: true,
          strict: true,
          target: "es2022",
          module: "nodenext",
          lib: ["esnext", "dom"],
          types: ["node"],
        },
      }),
    });
    for (const place of [plugin, project]) {
      await place.linkCodexMl();
      for (const used of ["zod", "@types"])
        await symlink(join(repository, "node_modules", used), place.path("node_modules", used), "dir");
    }
    for (const file of Object.keys(files))
      await cp(plugin.path(file), project.path("node_modules", name, file));
  });
  afterAll(removeProjects);

  /** The output that follows a command in use-plugins.md, its lines without what is padding. */
  function shown(command: string): readonly string[] {
    const block = new RegExp(`^${command}$\\n\`\`\`\\n\\n\`\`\`\\n([\\s\\S]*?)^\`\`\``, "m").exec(use)?.[1];
    if (block === undefined) throw new Error(`use-plugins.md shows no output of ${command}`);
    return lines(block.replaceAll("/project/", `${project.directory}/`)).filter((line) => line !== "…");
  }
  const lines = (text: string) => text.split("\n").map((line) => line.trim().replaceAll(/ +/g, " "));

  test("has the files that its manifest publishes", () => {
    expect(Object.keys(files).sort()).toEqual(["metric.d.ts", "metric.js", "metric.test.js", "package.json"]);
  });

  test("passes the tests that the page gives it", async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap"], {
      cwd: plugin.directory,
      env,
    }).catch((error: { stdout: string }) => error);
    expect(stdout).toMatch(/# fail 0/);
    expect(stdout).toMatch(/# pass [1-9]\d/);
  });

  test("is listed and inspected as use-plugins.md shows", async () => {
    const listed = await project.run(["plugins", "list", "--kind", "metrics"]);
    expect(lines(listed.stdout)).toEqual(
      expect.arrayContaining([...shown("npx codex-ml plugins list --kind metrics")]),
    );
    const inspected = await project.run(["plugins", "inspect", "metrics/first_tokens"]);
    expect(lines(inspected.stdout)).toEqual(shown("npx codex-ml plugins inspect metrics/first_tokens"));
  });

  test("is typed as use-plugins.md shows", async () => {
    const { stdout } = await project.run(["plugins", "types"]);
    expect(lines(stdout)).toEqual(shown("npx codex-ml plugins types"));
    const [, example = ""] = /```ts\n(await getMetric[\s\S]*?)```/.exec(use) ?? [];
    await project.write("use.ts", `import { getMetric } from "codex-ml/registry";\n${example}`);
    const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
    const compiled = await promisify(execFile)(process.execPath, [tsc, "-p", "."], {
      cwd: project.directory,
    }).catch((error: { stdout: string }) => error);
    const expected = example.split("\n").flatMap((line, index) => {
      const [, error] = /\/\/ (error .*)$/.exec(line) ?? [];
      return error === undefined ? [] : [`${index + 2}: ${error}`];
    });
    const errors = [...compiled.stdout.matchAll(/^use\.ts\((\d+),\d+\): (error .*)$/gm)];
    expect(errors.map(([, line, error]) => `${line}: ${error}`)).toEqual(expected);
    expect(expected).toHaveLength(1);
  });
});
