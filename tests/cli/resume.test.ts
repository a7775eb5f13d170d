/** `codex-ml resume` and `codex-ml checkpoints`, as processes that are really killed. */
import { truncate } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { outcome } from "../run-outcome.ts";
import { torture } from "../torture/torture.ts";
import { ofType, Project, parseEvents, removeProjects } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

afterEach(removeProjects);

const endless = ["--set", "trainer.maxSteps=10000000", "--set", "trainer.evalSteps=10000000"];

async function newProject(): Promise<Project> {
  return Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
}

test("killed with SIGKILL at random moments, runs end as the one that nobody killed", async () => {
  const project = await Project.create();
  const result = await torture({ kills: 4, directory: project.path("torture"), seed: 5 });
  expect(result).toMatchObject({ kills: 4, identical: 4, differences: [] });
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "after %s, resume ends as the run that was not stopped",
  async (signal) => {
    const project = await newProject();
    const more = ["--set", "trainer.maxSteps=400", "--set", "trainer.evalSteps=50"];
    await project.train("tale.yaml", "--out", "whole", ...more);
    const running = project.start(["train", "tale.yaml", "--out", "stopped", "--json", ...more]);
    await running.prints(/"step":20,/);
    running.child.kill(signal);
    expect((await running.ended).code).toBe(130);
    const { code, stdout, stderr } = await project.run(["resume", "stopped", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(parseEvents(stdout)[0]).toMatchObject({ type: "resume", maxSteps: 400, changes: [] });
    expect(await outcome(project.path("stopped"))).toEqual(await outcome(project.path("whole")));
  },
);

test("a directory in use is refused to a second process; killed, its holder does not block the next", async () => {
  const project = await newProject();
  const running = project.start([
    "train",
    "tale.yaml",
    "--out",
    "run",
    "--json",
    ...endless,
    "--set",
    "trainer.saveSteps=5",
  ]);
  await running.prints(/"type":"checkpoint","step":5,/);
  for (const command of [
    ["resume", "run"],
    ["checkpoints", "prune", "run"],
  ]) {
    const { code, stderr } = await project.run(command);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      new RegExp(`run is in use by process ${running.child.pid} on .*, since \\d{4}-.*it still runs`),
    );
  }
  running.child.kill("SIGKILL");
  await running.ended;
  const next = project.start(["resume", "run"]);
  await next.says(/going on +at step [\d,]+ of 10,000,000 from checkpoints\/step-/);
  expect(next.stderr).toMatch(/the lock of process \d+ .* was taken over: that process is gone/);
  await next.says(/step +\d+\/10000000/);
  next.child.kill("SIGINT");
  const { code, stderr } = await next.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/go on +npx codex-ml resume run/);
  expect(await project.files("run")).not.toContain("run.lock");
});

describe("what is asked wrongly exits with 2 and says what to do", () => {
  test("a finished run, an unknown --force, a folder that is no run", async () => {
    const project = await newProject();
    await project.train("tale.yaml", "--out", "run");
    for (const [args, says] of [
      [
        ["resume", "run"],
        /run is finished: it ended at step 12 \(maxSteps\)\. To train on: --set trainer\.maxSteps=/,
      ],
      [["resume", "run", "--set", "seed=1"], /seed 1337 → 1: .*\(--force seed\)/],
      [["resume", "run", "--force", "everything"], /Allowed are data, seed, tokenizer, optimizer, lock/],
      [["resume", "."], /is not a run directory/],
    ] as const) {
      const { code, stdout, stderr } = await project.run(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(says);
    }
    const { code, stderr } = await project.run(["resume", "run", "--set", "trainer.maxSteps=14"]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/changed +trainer\.maxSteps 12 → 14/);
  });
});

test("checkpoints are listed, verified and pruned", async () => {
  const project = await newProject();
  const options = ["trainer.saveSteps=3", "trainer.saveTotalLimit=3", "trainer.metricForBestModel=loss"];
  await project.train("tale.yaml", "--out", "run", ...options.flatMap((option) => ["--set", option]));
  const listed = await project.run(["checkpoints", "list", "run"]);
  expect(listed.stdout).toMatch(
    /^checkpoints\/step-000012 +[\d.]+ kB {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}best so far: loss [\d.]+\ncheckpoints\/step-000009 .*\ncheckpoints\/step-000006 /,
  );
  expect((await project.run(["checkpoints", "verify", "run"])).stdout).toMatch(
    /^(checkpoints\/step-\d+ {2}whole\n){3}$/,
  );

  await truncate(project.path("run/checkpoints/step-000009/optimizer.safetensors"), 100);
  const verified = await project.run(["checkpoints", "verify", "run"]);
  expect(verified.code).toBe(1);
  expect(verified.stdout).toMatch(/step-000009 {2}damaged: .*optimizer\.safetensors: has 100 bytes/);

  const pruned = await project.run(["checkpoints", "prune", "run", "--json"]);
  expect(JSON.parse(pruned.stdout)).toMatchObject({
    type: "pruned",
    removed: [{ path: "checkpoints/step-000009" }, { path: "checkpoints/step-000006" }],
  });
  expect(ofType(await project.events("run"), "checkpoint").map(({ step }) => step)).toEqual([3, 6, 9, 12]);
  expect((await project.run(["checkpoints", "list", "run", "--json"])).stdout).toMatch(
    /^\{"type":"checkpoints","checkpoints":\[\{/,
  );
});
