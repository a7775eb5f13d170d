/** What is said where a device cannot be had. Each case is a process of its own, since a library is loaded once. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const runtime = new URL("../../src/runtime/index.ts", import.meta.url).href;
const jiti = new URL("../../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url).pathname;

/** What choosing a device prints: its label, "cpu", or the error. */
async function choose(choice: string, environment: NodeJS.ProcessEnv = {}, before = ""): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "codex-ml-device-"));
  try {
    const source = `${before}
const { selectDevice } = await import(${JSON.stringify(runtime)});
try { console.log(selectDevice("${choice}")?.label ?? "cpu"); } catch (error) { console.log(error.code + ": " + error.message); }`;
    await writeFile(join(folder, "main.ts"), source);
    const env = { ...process.env, ...environment };
    const { stdout } = await promisify(execFile)(process.execPath, [jiti, join(folder, "main.ts")], { env });
    return stdout.trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const onLinux = process.platform === "linux";

test("auto never takes a driver that computes on the CPU", async () => {
  // With a GPU it is that; with none, or only with a software adapter, the CPU.
  expect(await choose("auto")).toMatch(/^(cpu$|cuda \(|webgpu \((?!.*software))/);
});

test.runIf(onLinux)(
  "without the adapter of a driver, webgpu says what to install, and auto takes the CPU",
  async () => {
    const none = {
      VK_DRIVER_FILES: "/nonexistent",
      VK_ICD_FILENAMES: "/nonexistent",
      CUDA_VISIBLE_DEVICES: "",
    };
    expect(await choose("webgpu", none)).toMatch(
      /^DEVICE_UNAVAILABLE: webgpu cannot be used: Vulkan('s loader, libvulkan\.so\.1, is not installed| finds no adapter)\. Install the Vulkan driver of the GPU/,
    );
    expect(await choose("auto", none)).toBe("cpu");
  },
);

test.runIf(onLinux)("the bundled library has CUDA's provider only once it was put beside it", async () => {
  expect(await choose("cuda", { CODEX_ML_ONNXRUNTIME: "" })).toMatch(
    /^(DEVICE_UNAVAILABLE: cuda cannot be used: (libonnxruntime_providers_cuda\.so is not beside the library .*|the library .* was built without CUDA)\. Install a build of ONNX Runtime with CUDA.* set CODEX_ML_ONNXRUNTIME|cuda \()/,
  );
});

test("CODEX_ML_ONNXRUNTIME has to be a library", async () => {
  expect(await choose("auto", { CODEX_ML_ONNXRUNTIME: "/nonexistent" })).toMatch(
    /^RUNTIME_UNAVAILABLE: CODEX_ML_ONNXRUNTIME is "\/nonexistent", which is not a file/,
  );
  expect(await choose("webgpu", { CODEX_ML_ONNXRUNTIME: jiti })).toMatch(
    /^RUNTIME_UNAVAILABLE: ONNX Runtime's library .*jiti-cli\.mjs cannot be loaded/,
  );
});
