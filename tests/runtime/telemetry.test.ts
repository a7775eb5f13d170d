import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const runtime = new URL("../../src/runtime/ort/environment.ts", import.meta.url).pathname;

/** What a process that uses the library leaves in its home and in its folder of temporary files. */
async function left(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "codex-ml-telemetry-"));
  try {
    const script = `
      const { createJiti } = await import("jiti");
      (await createJiti(${JSON.stringify(import.meta.url)}, { fsCache: false }).import(${JSON.stringify(runtime)})).ortEnvironment();`;
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      cwd: import.meta.dirname,
      env: { PATH: process.env.PATH, TMPDIR: folder, HOME: folder, XDG_CACHE_HOME: folder, ...environment },
    });
    return await readdir(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("ONNX Runtime's own reports to its makers are off, unless somebody asks for them: no id is kept and no log", async () => {
  expect(await left({})).toEqual([]);
  // The control. Elsewhere the library may keep them in other places.
  if (process.platform === "linux") expect(await left({ ORT_DISABLE_TELEMETRY: "0" })).not.toEqual([]);
});
