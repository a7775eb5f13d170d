/** `codex-ml plugins new` at a terminal: it asks for what is missing, and for nothing else. */
import { afterEach, expect, test } from "vitest";
import { Project, removeProjects } from "../cli/project.ts";
import { type Answer, atTerminal, keys } from "./terminal.ts";

afterEach(removeProjects);

const kind: Answer = { to: /What is it to be\?[\s\S]*metric/, keys: keys.enter };
const name: Answer = { to: /What will run files call the/, keys: `my_thing${keys.enter}` };
const packageName: Answer = { to: /What is the package's name\?/, keys: keys.enter };

test("kind, name and package are asked for, and the package has a default", async () => {
  const project = await Project.create();
  const choice = { ...kind, keys: `${keys.down}${keys.enter}` };
  const { code, screen } = await atTerminal(["plugins", "new"], project.directory, [
    choice,
    name,
    packageName,
  ]);
  expect(code).toBe(0);
  expect(screen).toMatch(/wrote +codex-ml-my-thing, a package with a data loader/);
  const { codexMl } = JSON.parse(await project.text("codex-ml-my-thing", "package.json"));
  expect(Object.keys(codexMl["codex_ml.data_loaders"])).toEqual(["my_thing"]);
});

test("what was said in the command is not asked for again", async () => {
  const project = await Project.create();
  const command = ["plugins", "new", "metrics", "--package", "@me/mine", "--dir", "here"];
  const { code, screen } = await atTerminal(command, project.directory, [name]);
  expect(code).toBe(0);
  expect(screen).not.toMatch(/What is (it to be|the package)/);
  expect(JSON.parse(await project.text("here", "package.json")).name).toBe("@me/mine");
});

test("an answer that cannot be is explained and asked for again", async () => {
  const project = await Project.create({ "taken/file.txt": "" });
  const { code } = await atTerminal(["plugins", "new", "metric"], project.directory, [
    { to: name.to, keys: `perplexity${keys.enter}` },
    { to: /is built in/, keys: `${keys.erase}my_thing${keys.enter}` },
    { to: packageName.to, keys: `${keys.erase}taken${keys.enter}` },
    { to: /not empty/, keys: `${keys.erase}Big${keys.enter}` },
    { to: /capital letters/, keys: `${keys.erase}free${keys.enter}` },
  ]);
  expect(code).toBe(0);
  expect(await project.files("taken")).toEqual(["file.txt"]);
  expect(JSON.parse(await project.text("free", "package.json")).name).toBe("free");
});

test("both arguments are enough: nothing is asked", async () => {
  const project = await Project.create();
  const { code, screen } = await atTerminal(["plugins", "new", "metric", "my_thing"], project.directory, []);
  expect(code).toBe(0);
  expect(screen).not.toContain("?");
});

test.each([
  ["Ctrl-C", "at the first question", keys.interrupt, []],
  ["Ctrl-C", "at the last question", keys.interrupt, [kind, name]],
  ["Escape", "at the last question", keys.escape, [kind, name]],
] as const)("%s %s ends with 130 and writes nothing", async (_key, _when, key, before) => {
  const project = await Project.create();
  const [last] = before.length === 0 ? [kind] : [packageName];
  const answers = [...before, { ...last, keys: key }];
  const { code } = await atTerminal(["plugins", "new"], project.directory, answers);
  expect(code).toBe(130);
  expect(await project.files()).toEqual([]);
});
