/** A disk that fills up, a folder that becomes read-only and memory that ends, in the middle of a run: real ones, from the system. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { outcome } from "../run-outcome.ts";
import { ofType, Project, type Result, removeProjects, repository } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

afterAll(removeProjects);

const cli = `'${process.execPath}' '${join(repository, "dist", "cli.mjs")}'`;
const settings = ["maxSteps=120", "saveSteps=2", "evalSteps=100", "sampleTokens=0"];
const set = settings.map((setting) => `--set trainer.${setting}`).join(" ");

async function newProject(): Promise<Project> {
  return Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
}

/** Runs a script in the project's folder, in a namespace where it may mount what nobody else sees. */
function shell(project: Project, script: string, command = ["unshare", "-Urm"]): Result {
  const [program = "sh", ...args] = [...command, "sh", "-c", script];
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: project.directory,
    encoding: "utf8",
    env: { ...process.env, CODEX_ML_SPIN: "0", NO_COLOR: "1" },
  });
  return { code: status ?? -1, stdout, stderr };
}

/** Trains in the background, does something when there are checkpoints, and waits for the end. */
const whenSaved = (action: string) => `
  ${cli} train tale.yaml --out disk/run ${set} & pid=$!
  while [ $(ls disk/run/checkpoints 2>/dev/null | wc -l) -lt 2 ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
  kill -STOP $pid; ${action}; kill -CONT $pid
  wait $pid; echo "exit $?"`;

/** The run that nothing happened to. */
async function undisturbed(): Promise<Awaited<ReturnType<typeof outcome>>> {
  const project = await newProject();
  await project.train("tale.yaml", "--out", "run", ...set.split(" "));
  return outcome(project.path("run"));
}

test.each([
  [
    "a disk that is full",
    "dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null",
    "rm disk/fill",
    /the disk is full|room for/,
  ],
  [
    "a folder that is read-only",
    "mount --bind disk/run/checkpoints disk/run/checkpoints && mount -o remount,ro,bind disk/run/checkpoints",
    "umount disk/run/checkpoints",
    /that file system is read-only/,
  ],
])(
  "%s in the middle of a run: it stops and says so, what was saved is whole, and mended it goes on as if nothing had been",
  async (_, breaks, mends, says) => {
    const project = await newProject();
    const { stdout, stderr } = shell(
      project,
      `mkdir disk && mount -t tmpfs -o size=4m tmpfs disk
    ${whenSaved(breaks)}
    echo "locks $(ls disk/run | grep -c '^run.lock')"
    ${cli} checkpoints verify disk/run; echo "verified $?"
    ${mends}
    ${cli} resume disk/run; echo "resumed $?"
    cp -r disk/run kept`,
    );
    expect(stdout, stderr).toMatch(/exit 1$/m);
    expect(stderr).toMatch(says);
    expect(stdout).toMatch(/locks 0$/m);
    expect(stdout).toMatch(/verified 0$/m);
    expect(stdout, stderr).toMatch(/resumed 0$/m);
    const [disturbed, expected] = [await outcome(project.path("kept")), await undisturbed()];
    expect(disturbed.digests).toEqual(expected.digests);
    // An error was written down before it went on; the rest reads as one run.
    expect(disturbed.rows).toEqual(expected.rows);
  },
);

test("a run directory on a read-only disk is refused with what to do, however many folders are missing", async () => {
  const project = await newProject();
  const train = (out: string) => `${cli} train tale.yaml --out ${out} ${set}; echo "exit $?"`;
  const { stdout, stderr } = shell(
    project,
    `mkdir disk && mount -t tmpfs -o ro tmpfs disk; ${train("disk/run")}; ${train("disk/a/b/run")}`,
  );
  expect(stdout.trim(), stderr).toBe("exit 2\nexit 2");
  expect(stderr.match(/that file system is read-only\. Use a run directory elsewhere/g)).toHaveLength(2);
});

test("memory that is not enough is said with what helps", async () => {
  const project = await newProject();
  const huge = [
    "model.vocabSize=200000",
    "model.hiddenSize=2",
    "model.numAttentionHeads=1",
    "trainer.batchSize=8192",
  ];
  // Logits of 105 GB, where the process may have 24.
  const { stdout, stderr } = shell(
    project,
    `ulimit -v 24000000; ${cli} train tale.yaml --out run ${huge.map((one) => `--set ${one}`).join(" ")}; echo "exit $?"`,
    [],
  );
  expect(stdout, stderr).toMatch(/exit 1$/m);
  expect(stderr).toMatch(/not enough memory\. Give a smaller batchSize/);
  expect(ofType(await project.events("run"), "error")[0]).toMatchObject({ code: "OUT_OF_MEMORY" });
});
