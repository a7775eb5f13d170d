/** What the command line tells about itself. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, removeProjects } from "./project.ts";

let project: Project;
beforeAll(async () => {
  project = await Project.create();
});
afterAll(removeProjects);

describe.concurrent("--help", () => {
  test.each([
    [["init"], ["[dir]", "--data", "--task", "--format", "--yes", "--force"]],
    [
      ["config", "check"],
      ["<run-file>", "--set", "--import", "--json", "Exit codes"],
    ],
    [
      ["config", "explain"],
      ["<run-file>", "--set", "--import", "--json"],
    ],
    [
      ["config", "schema"],
      ["--out", "--import", "yaml-language-server"],
    ],
    [["train"], ["<run-file>", "--set", "--out", "--json", "--quiet", "--no-tensorboard"]],
    [["evaluate"], ["<run-dir>", "--split", "--data", "--json"]],
    [
      ["generate"],
      ["<run-dir>", "--prompt", "--max-new-tokens", "--temperature", "--top-k", "--top-p", "--seed"],
    ],
    [["metrics"], ["<name...>", "--predictions", "--references", "--set", "--json"]],
    [
      ["data", "inspect"],
      ["<run-file>", "--split", "--examples", "--limit", "--set", "--import", "--json"],
    ],
    [
      ["tokenizer", "train"],
      ["<name>", "--data", "--out", "--set", "--json"],
    ],
    [
      ["tokenizer", "encode"],
      ["<dir>", "--file", "--show", "--json"],
    ],
    [
      ["tokenizer", "decode"],
      ["<dir>", "--file", "--json"],
    ],
    [
      ["tokenizer", "stats"],
      ["<dir>", "--file", "--json"],
    ],
    [
      ["plugins", "list"],
      ["--kind", "--json"],
    ],
    [
      ["plugins", "types"],
      ["--out", "--check"],
    ],
    [
      ["plugins", "new"],
      ["kind", "name", "--package", "--dir"],
    ],
    [
      ["plugins", "doctor"],
      ["--load", "--no-load", "--json", "Exit codes"],
    ],
  ])("of %j exits with 0 and shows the documented options and an example", async (command, options) => {
    const { code, stdout, stderr } = await project.run([...command, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const option of options) expect(stdout).toContain(option);
    expect(stdout).toMatch(new RegExp(`Example:\\n +codex-ml ${command.join(" ")} \\S`));
  });

  test("of the program lists the commands and the exit codes", async () => {
    const { code, stdout } = await project.run(["--help"]);
    expect(code).toBe(0);
    for (const command of ["init", "config", "train", "evaluate", "generate", "metrics", "data", "plugins"])
      expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, "m"));
    expect(stdout).toMatch(/0 .*1 .*2 .*130/);
  });

  test("of a group of commands lists them", async () => {
    const { code, stdout } = await project.run(["plugins", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +list\b/m);
  });
});

test("--version prints the version", async () => {
  expect(await project.run(["--version"])).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
});

test("no command at all is asked wrongly, and shows what there is", async () => {
  const { code, stdout, stderr } = await project.run([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stdout + stderr).toMatch(/train/);
});
