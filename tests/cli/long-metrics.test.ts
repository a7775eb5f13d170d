/** A run whose metrics.ndjson has five million lines: what reads or goes on with it needs no more memory than with a few. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CheckpointManifest } from "../../src/run/checkpoint-files.ts";
import { Project, removeProjects } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

const lines = 5_000_000;
/** A heap that a tenth of the lines would not fit in; and at its end, a process says how much memory it had at most. */
const node = [
  "--max-old-space-size=128",
  "--import",
  'data:text/javascript,process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS))',
];
/** Kilobytes. */
const peakOf = (stderr: string): number => Number(/peak (\d+)$/.exec(stderr)?.[1]);

/** Five million events and those of a run, of which the last checkpoint knows; at the end a line that a crash tore. */
async function lengthen(project: Project, run: string): Promise<void> {
  const metrics = project.path(run, "metrics.ndjson");
  const before = await readFile(metrics);
  await rm(metrics);
  const file = await open(`${metrics}.new`, "w");
  let size = 0;
  for (let step = 1; step <= lines; ) {
    let text = "";
    for (const end = Math.min(step + 20_000, lines + 1); step < end; step++)
      text += `{"type":"step","step":${step}}\n`;
    size += (await file.write(text)).bytesWritten;
  }
  await file.write(before);
  await file.close();
  await rename(`${metrics}.new`, metrics);
  await appendFile(metrics, '{"type":"step","st');
  const path = project.path(run, "checkpoints/step-000012/state.json");
  const manifest: CheckpointManifest = JSON.parse(await readFile(path, "utf8"));
  if (manifest.run === undefined) throw new Error("the checkpoint knows no run");
  const changed = { ...manifest.run, metricsBytes: manifest.run.metricsBytes + size };
  const runSha256 = createHash("sha256").update(JSON.stringify(changed)).digest("hex");
  await writeFile(path, JSON.stringify({ ...manifest, run: changed, runSha256 }));
}

describe("five million lines of metrics", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create({ "corpus.txt": corpus, "tale.yaml": tinyYaml });
    await project.linkCodexMl();
    await project.write(
      "count.mjs",
      `import { readEvents } from "codex-ml";
       let events = 0;
       let last;
       for await (const event of readEvents(process.argv[2])) {
         last = event;
         // How many of these there are is a matter of time.
         if (event.type !== "system") events++;
       }
       console.log(JSON.stringify({ events, last }));`,
    );
    await project.train("tale.yaml", "--out", "long");
    await project.copy("long", "short");
    await lengthen(project, "long");
  }, 300_000);
  afterAll(removeProjects);

  const count = (run: string): { readonly events: number; readonly last: unknown } =>
    JSON.parse(
      execFileSync(process.execPath, [...node, "count.mjs", `${run}/metrics.ndjson`], {
        cwd: project.directory,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );

  test("are read as a stream, without the line that a crash tore", () => {
    expect(count("long")).toEqual({
      events: lines + count("short").events,
      last: { type: "end", step: 12, reason: "maxSteps" },
    });
  });

  test.each([
    ["evaluate", []],
    ["resume", ["--set", "trainer.maxSteps=14"]],
  ])("cost %s nothing", async (command, options) => {
    const results = [];
    for (const run of ["short", "long"])
      results.push(await project.run([command, run, ...options], { node }));
    const [short, long] = results;
    expect(long?.code, long?.stderr).toBe(0);
    expect(peakOf(long?.stderr ?? "")).toBeLessThan(peakOf(short?.stderr ?? "") + 64 * 1024);
  });

  test("are still there after it, and what the resumed run told follows", () => {
    expect(count("long")).toEqual({
      events: lines + count("short").events,
      last: { type: "end", step: 14, reason: "maxSteps" },
    });
  });
});
