/** `plugins inspect`: one component, whether it can be imported, and the options that it takes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, removeProjects } from "./project.ts";

let project: Project;

beforeAll(async () => {
  project = await Project.create({
    "package.json": JSON.stringify({
      name: "own-project",
      version: "3.2.1",
      type: "module",
      codexMl: {
        "codex_ml.metrics": {
          described: "./described.js",
          perplexity: "./described.js",
          thrower: { target: "./thrower.js", aliases: ["boom"], description: "Never works." },
        },
      },
    }),
    "described.js": "export default () => ({ predictions }) => predictions.length;\n",
    "thrower.js": "throw new Error('no cucumber left');\n",
  });
});

afterAll(removeProjects);

describe("plugins inspect", () => {
  test("lists the options of a component with type, default and meaning", async () => {
    const { code, stdout } = await project.run(["plugins", "inspect", "trainers/causal_lm"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trainers\/causal_lm {2}Next-token prediction/);
    expect(stdout).toMatch(/^ {2}maxSteps +integer ≥ 1 +required +Optimizer updates to do\.$/m);
    expect(stdout).toMatch(/^ {2}batchSize +integer ≥ 1 +16 +Sequences of one forward pass\.$/m);
  });

  test("says where a package declares a component, and that it does not describe its options", async () => {
    const { code, stdout } = await project.run(["plugins", "inspect", "metrics/described"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/origin +own-project@3\.2\.1, \.\/described\.js/);
    expect(stdout).toMatch(/import +works/);
    expect(stdout).toContain("does not describe its options");
  });

  test("shows what a name shadows, and reaches that as package/name", async () => {
    const builtin = await project.run(["plugins", "inspect", "metrics/ppl"]);
    expect(builtin.stdout).toMatch(/origin +built into codex-ml@/);
    expect(builtin.stdout).toMatch(/shadows +own-project@3\.2\.1/);
    const own = await project.run(["plugins", "inspect", "metrics/own-project/perplexity"]);
    expect(own.stdout).toMatch(/origin +own-project@3\.2\.1/);
  });

  test("exits with 1 and the reason when a component cannot be imported", async () => {
    const { code, stdout } = await project.run(["plugins", "inspect", "metrics/boom"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/aliases +boom/);
    expect(stdout).toMatch(/import .*no cucumber left/s);
  });

  test("--json has the same", async () => {
    const { stdout } = await project.run(["plugins", "inspect", "metrics/thrower", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "metrics",
      name: "thrower",
      description: "Never works.",
      origin: { package: "own-project", version: "3.2.1", status: "failed" },
      failure: expect.stringContaining("no cucumber left"),
    });
  });

  test.each([
    ["perplexity", /write kind\/name/],
    ["metric/perplexity", /The kinds are tokenizers/],
    ["metrics/perplexty", /Did you mean "perplexity"/],
  ])("%s is asked wrongly", async (reference, message) => {
    const { code, stderr } = await project.run(["plugins", "inspect", reference]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
