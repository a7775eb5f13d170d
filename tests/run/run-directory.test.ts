import { mkdirSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { saveCheckpoint } from "../../src/run/checkpoint.ts";
import {
  createRunDirectory,
  type RunContents,
  refuseOccupied,
  timestamp,
} from "../../src/run/new-run-directory.ts";
import {
  completeRunDirectory,
  openRunDirectory,
  RunDirectoryError,
  readTokenizerFiles,
} from "../../src/run/run-directory.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "codex-ml-runs-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const now = new Date(2025, 0, 31, 23, 5, 9);
const contents: RunContents = {
  runFile: "seed: 1\n",
  manifest: {
    seed: 1,
    components: [{ kind: "metric", name: "toy_metric", origin: "my-extension@1.2.0" }],
    versions: { "codex-ml": "0.1.0", "onnxruntime-node": "1.30.0", unknown: undefined },
    device: "cpu, 8 threads",
  },
};

describe("creating", () => {
  test("makes runs/<name>-<time> with everything in it", async () => {
    let given = "";
    const run = await createRunDirectory({ name: "moby-dick", root, now }, (path) => {
      given = path;
      return contents;
    });
    expect(run.path).toBe(join(root, "runs/moby-dick-20250131-230509"));
    expect(given).toBe(run.path);
    expect((await readdir(run.path)).sort()).toEqual(["manifest.json", "metrics.ndjson", "run.yaml"]);
    expect(await readFile(run.runFile, "utf8")).toBe("seed: 1\n");
    expect(await readFile(run.metrics, "utf8")).toBe("");
    expect(run.manifest).toEqual({
      format: 1,
      name: "moby-dick",
      created: now.toISOString(),
      ...contents.manifest,
      versions: { "codex-ml": "0.1.0", "onnxruntime-node": "1.30.0", node: process.versions.node },
      platform: process.platform,
      arch: process.arch,
    });
  });

  test("two runs of the same second get two folders", async () => {
    const paths = await Promise.all(
      [1, 2, 3].map(async () => (await createRunDirectory({ name: "x", root, now }, () => contents)).path),
    );
    expect(paths.sort()).toEqual(
      ["", "-2", "-3"].map((suffix) => join(root, `runs/x-20250131-230509${suffix}`)),
    );
  });

  test.each([
    ["a b/c", "a-b-c"],
    ["../..", "run"],
    ["größe_1.5", "größe_1.5"],
  ])("%s becomes a name that every file system takes", async (name, expected) => {
    const run = await createRunDirectory({ name, root, now }, () => contents);
    expect(run.path).toBe(join(root, `runs/${expected}-20250131-230509`));
    expect(run.name).toBe(name);
  });

  test("takes the folder it is given, whether it is there yet or empty", async () => {
    for (const out of [join(root, "new/deep"), join(root, "empty")]) {
      if (out.endsWith("empty")) await mkdir(out);
      expect((await createRunDirectory({ name: "x", out }, () => contents)).path).toBe(out);
    }
  });

  test("refuses a folder that holds something, and changes nothing in it", async () => {
    await writeFile(join(root, "thesis.tex"), "years of work");
    const creating = createRunDirectory({ name: "x", out: root }, () => contents);
    await expect(creating).rejects.toThrow(`${root} is not empty. Give another folder (--out), or none`);
    await expect(creating).rejects.toMatchObject({ code: "RUN_DIRECTORY_CREATE" });
    expect(await readdir(root)).toEqual(["thesis.tex"]);
  });

  test("refuses the folder of another run", async () => {
    const out = join(root, "run");
    await createRunDirectory({ name: "x", out }, () => contents);
    await expect(refuseOccupied(out)).rejects.toThrow(/already holds a run\. Give another folder/);
    await expect(refuseOccupied(join(root, "absent"))).resolves.toBeUndefined();
  });

  test("refuses a file in the folder's place", async () => {
    await writeFile(join(root, "runs"), "");
    await expect(createRunDirectory({ name: "x", root, now }, () => contents)).rejects.toThrow(
      /cannot create the run directory .*something that is not a folder stands in the way/,
    );
    await expect(createRunDirectory({ name: "x", out: join(root, "runs") }, () => contents)).rejects.toThrow(
      /stands in the way/,
    );
  });

  test("removes what it wrote when it cannot finish", async () => {
    const out = join(root, "empty");
    await mkdir(out);
    for (const place of [{ root, now }, { out }]) {
      const creating = createRunDirectory({ name: "x", ...place }, (path) => {
        mkdirSync(join(path, "metrics.ndjson"));
        return contents;
      });
      await expect(creating).rejects.toThrow(/cannot create the run directory .*stands in the way/);
      await expect(creating).rejects.toBeInstanceOf(RunDirectoryError);
    }
    expect(await readdir(out)).toEqual([]);
    expect(await readdir(join(root, "runs"))).toEqual([]);
    expect((await readdir(root)).sort()).toEqual(["empty", "runs"]);
  });
});

describe("opening", () => {
  test.each([
    ["nothing", async () => join(root, "absent"), /^there is no folder .*absent$/],
    [
      "an empty folder",
      async () => root,
      /is not a run directory: it has no manifest\.json\. `codex-ml train` makes one/,
    ],
    [
      "a file",
      async () => {
        await writeFile(join(root, "file"), "");
        return join(root, "file");
      },
      /file is a file, not a run directory/,
    ],
    [
      "the folder of runs",
      async () => {
        await createRunDirectory({ name: "x", root, now }, () => contents);
        return join(root, "runs");
      },
      /It holds runs; give one of them, for example .*runs\/x-20250131-230509$/,
    ],
    [
      "a checkpoint of a run",
      async () => {
        const run = await createRunDirectory({ name: "x", root, now }, () => contents);
        const checkpoint = { step: 1, parameters: new Map(), optimizer: new Map(), state: {} };
        return join(run.path, await saveCheckpoint(run.path, checkpoint, { config: {} }));
      },
      /Give the run directory itself: .*runs\/x-20250131-230509$/,
    ],
  ])("%s is told apart", async (_, prepare, message) => {
    const opening = openRunDirectory(await prepare());
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ code: "RUN_DIRECTORY_NONE" });
  });

  test.each([
    ["{", /manifest\.json is not valid JSON/],
    ["[]", /manifest\.json is not a JSON object/],
    ['{"format":2}', /has the format 2; this version of codex-ml reads 1/],
    ['{"format":1}', /has no string `name`/],
  ])("a manifest that says %s is damaged", async (text, message) => {
    await writeFile(join(root, "manifest.json"), text);
    const opening = openRunDirectory(root);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ code: "RUN_DIRECTORY_DAMAGED" });
  });
});

describe("completing, once the data was read", () => {
  const tokenizer = { "tokenizer.json": "{}", "merges.txt": "é\n" };

  test("adds the data's fingerprint and the tokenizer's files", async () => {
    const run = await createRunDirectory({ name: "x", root, now }, () => contents);
    expect(run.manifest.data).toBeUndefined();
    const completed = await completeRunDirectory(run, "abc", tokenizer);
    expect(completed).toEqual({ ...run, manifest: { ...run.manifest, data: { fingerprint: "abc" } } });
    expect(await openRunDirectory(run.path)).toEqual(completed);
    expect(await readTokenizerFiles(run)).toEqual(tokenizer);
    expect((await readdir(run.path)).sort()).toEqual([
      "manifest.json",
      "metrics.ndjson",
      "run.yaml",
      "tokenizer",
    ]);
  });

  test("a tokenizer that saves nothing has no files", async () => {
    const run = await createRunDirectory({ name: "x", root, now }, () => contents);
    await completeRunDirectory(run, "abc");
    expect(await readTokenizerFiles(run)).toEqual({});
  });

  test.each(["../escape.json", "a/b.json", "..", "", "a\\b"])(
    "a tokenizer's file called %j is refused",
    async (name) => {
      const run = await createRunDirectory({ name: "x", root, now }, () => contents);
      await expect(completeRunDirectory(run, "abc", { "tokenizer.json": "{}", [name]: "" })).rejects.toThrow(
        /`save` gave a file called .*; expected a plain name/,
      );
      expect(await readdir(run.path)).not.toContain("tokenizer");
    },
  );

  test("a disk that fails leaves the manifest as it was, and says so", async () => {
    const run = await createRunDirectory({ name: "x", root, now }, () => contents);
    await writeFile(join(run.path, "tokenizer"), "in the way");
    await expect(completeRunDirectory(run, "abc", tokenizer)).rejects.toMatchObject({
      code: "RUN_DIRECTORY_CREATE",
    });
    expect(await openRunDirectory(run.path)).toEqual(run);
  });
});

test("times are of this clock and sort as text", () => {
  expect(timestamp(new Date(2025, 11, 1, 0, 0, 0))).toBe("20251201-000000");
});
