import { spawn } from "node:child_process";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  CheckpointError,
  checkpointSize,
  latestCheckpoint,
  listCheckpoints,
  readCheckpoint,
  requireRoom,
  saveCheckpoint,
} from "../../src/run/checkpoint.ts";
import { verifyCheckpoint } from "../../src/run/checkpoint-files.ts";
import { disk, type FileSystem } from "../../src/run/file-system.ts";
import { decodeSafetensors } from "../../src/run/safetensors.ts";
import type { HostTensor } from "../../src/runtime/host-tensor.ts";
import type { Checkpoint, WarningEvent } from "../../src/trainers/index.ts";

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), "codex-ml-checkpoint-"));
});
afterEach(() => rm(run, { recursive: true, force: true }));

const config = { model_type: "gpt2", vocab_size: 8 };

/** A checkpoint whose every number says which one it is. */
function checkpoint(step: number, mark = step): Checkpoint {
  const tensor = (value: number): HostTensor => ({
    dtype: "float32",
    shape: [2, 3],
    data: new Float32Array(6).fill(value),
  });
  return {
    step,
    parameters: new Map([
      ["wte.weight", tensor(mark)],
      ["ln_f.bias", tensor(-mark)],
    ]),
    optimizer: new Map([
      ["wte.weight/m", tensor(mark / 2)],
      ["wte.weight/v", tensor(mark / 4)],
    ]),
    state: { epoch: 1, position: mark, nested: { list: [1, "two", null, true] } },
  };
}

async function save(
  step: number,
  options: { mark?: number; keep?: number; files?: FileSystem } = {},
): Promise<string> {
  const { mark, ...rest } = options;
  return saveCheckpoint(run, checkpoint(step, mark), { config, ...rest });
}

async function folders(): Promise<string[]> {
  return (await readdir(join(run, "checkpoints"))).sort();
}

async function readLatest(): Promise<Checkpoint> {
  return readCheckpoint(join(run, (await latestCheckpoint(run)).path));
}

describe("saving and reading", () => {
  test("what was saved is read back, with the model's configuration", async () => {
    expect(await save(500)).toBe("checkpoints/step-000500");
    expect(await readCheckpoint(join(run, "checkpoints/step-000500"))).toEqual({
      ...checkpoint(500),
      config,
    });
    expect((await readdir(join(run, "checkpoints/step-000500"))).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "optimizer.safetensors",
      "state.json",
    ]);
  });

  test("the weights carry the metadata that PyTorch's tools ask for", async () => {
    await save(1);
    const file = await readFile(join(run, "checkpoints/step-000001/model.safetensors"));
    expect(decodeSafetensors(file).metadata).toEqual({ format: "pt" });
  });

  test("the newest is the latest, by number and not by name", async () => {
    for (const step of [999_999, 1_000_000]) await save(step);
    expect(await latestCheckpoint(run)).toEqual({
      step: 1_000_000,
      path: "checkpoints/step-1000000",
      skipped: [],
    });
  });

  test("two are kept by default, and `keep` decides", async () => {
    for (const step of [1, 2, 3]) await save(step);
    expect(await folders()).toEqual(["step-000002", "step-000003"]);
    await save(4, { keep: 1 });
    expect(await folders()).toEqual(["step-000004"]);
    await save(5, { keep: 0 });
    expect(await folders()).toEqual(["step-000005"]);
  });

  test("abandoned staging of a process that died is removed by the next save", async () => {
    await mkdir(join(run, "checkpoints/.step-000007.staging-deadbeef"), { recursive: true });
    await writeFile(join(run, "checkpoints/.step-000007.staging-deadbeef/model.safetensors"), "half");
    await mkdir(join(run, "checkpoints/.step-000001.removing-deadbeef"));
    await save(8);
    expect(await folders()).toEqual(["step-000008"]);
  });

  test("the same step again replaces the checkpoint", async () => {
    await save(500, { mark: 1 });
    await save(500, { mark: 2 });
    expect(await readLatest()).toMatchObject(checkpoint(500, 2));
    expect(await folders()).toEqual(["step-000500"]);
  });

  test("a damaged checkpoint of the same step is replaced, not kept", async () => {
    await save(500, { mark: 1 });
    await truncate(join(run, "checkpoints/step-000500/model.safetensors"), 10);
    await save(500, { mark: 2 });
    expect(await readLatest()).toMatchObject(checkpoint(500, 2));
    expect(await folders()).toEqual(["step-000500"]);
  });

  test.each([
    [{ loss: Number.NaN }, "state.loss is NaN"],
    [{ position: { ids: new Int32Array(2) } }, "state.position.ids is Int32Array"],
    [{ list: [1, 2n] }, "state.list[1] is 2n"],
  ])("state that JSON would change is refused: %o", async (state, message) => {
    const saving = saveCheckpoint(run, { ...checkpoint(1), state }, { config });
    await expect(saving).rejects.toThrow(message);
    await expect(saving).rejects.toMatchObject({ code: "CHECKPOINT_SAVE" });
    expect(await listCheckpoints(run)).toEqual([]);
  });
});

test("everything is flushed before what depends on it: files, manifest, staged folder, rename, parent", async () => {
  const order: string[] = [];
  const name = (path: string): string => relative(run, path).replace(/-[0-9a-f]{8}/, "");
  const files: FileSystem = {
    ...disk,
    create: async (path) => {
      const file = await disk.create(path);
      const sync = async (): Promise<void> => {
        order.push(`sync ${name(path)}`);
        await file.sync();
      };
      return { ...file, sync };
    },
    syncFolder: async (path) => {
      order.push(`sync ${name(path)}`);
      await disk.syncFolder(path);
    },
    rename: async (from, to) => {
      order.push(`rename ${name(from)} ${name(to)}`);
      await disk.rename(from, to);
    },
  };
  await save(500, { files });
  const staging = "checkpoints/.step-000500.staging";
  expect(order).toEqual([
    "sync ",
    `sync ${staging}/model.safetensors`,
    `sync ${staging}/optimizer.safetensors`,
    `sync ${staging}/config.json`,
    `sync ${staging}/state.json`,
    `sync ${staging}`,
    `rename ${staging} checkpoints/step-000500`,
    "sync checkpoints",
  ]);
});

describe("a reader accepts only what verifies", () => {
  const damage: readonly (readonly [string, (folder: string) => Promise<void>, RegExp])[] = [
    [
      "a flipped bit in the weights",
      (f) => flip(join(f, "model.safetensors")),
      /model\.safetensors: its bytes are not those/,
    ],
    [
      "a flipped bit in the optimizer",
      (f) => flip(join(f, "optimizer.safetensors")),
      /optimizer\.safetensors: its bytes/,
    ],
    ["pieces that changed places", (f) => exchange(join(f, "model.safetensors")), /bytes are not those/],
    ["a shortened file", (f) => truncate(join(f, "model.safetensors"), 64), /has 64 bytes; \d+ were written/],
    ["a lengthened file", (f) => appendFile(join(f, "config.json"), " "), /config\.json: has \d+ bytes/],
    ["a missing file", (f) => rm(join(f, "optimizer.safetensors")), /optimizer\.safetensors: is missing/],
    ["a missing manifest", (f) => rm(join(f, "state.json")), /state\.json: ENOENT/],
    ["an empty manifest", (f) => truncate(join(f, "state.json"), 0), /state\.json: .*JSON/],
    [
      "a manifest of another format",
      (f) => edit(f, (m) => ({ ...m, format: 3 })),
      /format 3; this version of codex-ml reads 2/,
    ],
    [
      "a manifest with another state",
      (f) => edit(f, (m) => ({ ...m, state: { position: 1 } })),
      /`state` is not what was written/,
    ],
    [
      "a manifest that vouches for nothing",
      (f) => edit(f, (m) => ({ ...m, files: {} })),
      /does not vouch for model\.safetensors/,
    ],
    ["a manifest that is a list", (f) => writeFile(join(f, "state.json"), "[]"), /not a JSON object/],
    ["a manifest of another step", (f) => edit(f, (m) => ({ ...m, step: 501 })), /has the step 501/],
    ["a manifest with a name that is damaged", (f) => edit(f, (m) => ({ ...m, rvn: {} })), /a key "rvn"/],
    ["a manifest without a step", (f) => edit(f, (m) => ({ ...m, step: "x" })), /no whole number `step`/],
  ];

  test.each(damage)("%s: the one before answers, and the damage is listed", async (_, break_, message) => {
    await save(250);
    await save(500);
    await break_(join(run, "checkpoints/step-000500"));
    const latest = await latestCheckpoint(run);
    expect(latest).toMatchObject({ step: 250, path: "checkpoints/step-000250" });
    expect(latest.skipped).toEqual([
      { path: "checkpoints/step-000500", reason: expect.stringMatching(message) },
    ]);
    await expect(readCheckpoint(join(run, "checkpoints/step-000500"))).rejects.toThrow(message);
  });

  test("one bit that is not what it was is found, wherever it is", async () => {
    const folder = join(run, await save(500));
    const unfound: string[] = [];
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name));
      // Nearly every byte of the manifest, which vouches for the others; of those, some in each part.
      const step = name === "state.json" ? 7 : Math.ceil((bytes.length * 8) / 97);
      for (let bit = 0; bit < bytes.length * 8; bit += step) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await writeFile(join(folder, name), changed);
        const found = await verifyCheckpoint(folder).then(
          () => false,
          () => true,
        );
        if (!found) unfound.push(`${name}, bit ${bit}`);
      }
      await writeFile(join(folder, name), bytes);
    }
    expect(unfound).toEqual([]);
  });

  test("when none is whole, every reason is given and what to do", async () => {
    await save(1);
    await save(2);
    for (const step of [1, 2])
      await truncate(join(run, `checkpoints/step-00000${step}/model.safetensors`), 1);
    const latest = latestCheckpoint(run);
    await expect(latest).rejects.toMatchObject({ code: "CHECKPOINT_DAMAGED" });
    await expect(latest).rejects.toThrow(/step-000002.*step-000001.*train again from .*run\.yaml/s);
  });

  test("a run without a checkpoint says so", async () => {
    await expect(latestCheckpoint(run)).rejects.toMatchObject({ code: "CHECKPOINT_NONE" });
  });

  async function flip(path: string): Promise<void> {
    const bytes = await readFile(path);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }

  /** Exchanges the two tensors, which have the same size. */
  async function exchange(path: string): Promise<void> {
    const bytes = await readFile(path);
    const last = bytes.subarray(-24);
    const before = bytes.subarray(-48, -24);
    expect(last).not.toEqual(before);
    await writeFile(path, Buffer.concat([bytes.subarray(0, -48), last, before]));
  }

  async function edit(folder: string, change: (manifest: object) => object): Promise<void> {
    const path = join(folder, "state.json");
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, "utf8")))));
  }
});

describe("failures of the disk", () => {
  /** The disk, except that operation `at` (and with `lasting`, each after it) fails with `code`, writes half way. */
  function failing(
    at: number,
    code: string,
    lasting: boolean,
  ): FileSystem & { readonly operations: () => number } {
    let count = 0;
    const check = (): boolean => {
      count++;
      return lasting ? count >= at : count === at;
    };
    const error = (): Error => Object.assign(new Error(`${code}: injected`), { code });
    const step = (): void => {
      if (check()) throw error();
    };
    const guarded =
      <Arguments extends unknown[], Result>(operation: (...args: Arguments) => Promise<Result>) =>
      async (...args: Arguments): Promise<Result> => {
        step();
        return operation(...args);
      };
    return {
      operations: () => count,
      mkdir: guarded(disk.mkdir),
      syncFolder: guarded(disk.syncFolder),
      rename: guarded(disk.rename),
      remove: guarded(disk.remove),
      list: guarded(disk.list),
      room: guarded(disk.room),
      create: async (path) => {
        step();
        const file = await disk.create(path);
        return {
          write: async (bytes) => {
            if (!check()) return file.write(bytes);
            await file.write(bytes.subarray(0, bytes.length / 2));
            throw error();
          },
          sync: guarded(file.sync),
          close: async () => {
            await file.close();
            step();
          },
        };
      },
    };
  }

  /** The N-th operation fails, for every N until a save has fewer operations than that. */
  async function forEveryOperation(
    prepare: () => Promise<unknown>,
    attempt: (files: FileSystem) => Promise<unknown>,
    code: string,
    lasting: boolean,
    check: (failure: unknown, at: number) => Promise<void>,
  ): Promise<void> {
    for (let at = 1; ; at++) {
      await rm(run, { recursive: true, force: true });
      await mkdir(run);
      await prepare();
      const files = failing(at, code, lasting);
      const failure: unknown = await attempt(files).then(
        () => undefined,
        (error: unknown) => error,
      );
      await check(failure, at);
      if (files.operations() < at) {
        expect(at).toBeGreaterThan(20);
        return;
      }
    }
  }

  for (const code of ["EIO", "ENOSPC", "EACCES"])
    for (const lasting of [false, true])
      test(`${code} at every operation, ${lasting ? "from then on" : "once"}: the old checkpoint or the new one, whole`, async () => {
        await forEveryOperation(
          () => save(250),
          (files) => save(500, { files }),
          code,
          lasting,
          async (failure) => {
            const latest = await readLatest();
            expect(latest).toMatchObject(checkpoint(latest.step));
            if (failure === undefined) expect(latest.step).toBe(500);
            else expect(failure).toMatchObject({ code: "CHECKPOINT_SAVE" });
            // A fault that passes leaves nothing behind once something was saved again.
            await save(750);
            expect((await folders()).filter((name) => name.startsWith("."))).toEqual([]);
            expect((await readLatest()).step).toBe(750);
          },
        );
      });

  test.each([false, true])("replacing a checkpoint of the same step, lasting: %s", async (lasting) => {
    await forEveryOperation(
      () => save(500, { mark: 1 }),
      (files) => save(500, { mark: 2, files }),
      "EIO",
      lasting,
      async (failure) => {
        const { state } = await readLatest();
        expect([1, 2]).toContain(state.position);
        if (failure === undefined) expect(state.position).toBe(2);
        const before = await readLatest();
        await save(750);
        expect(await folders()).toEqual(["step-000500", "step-000750"]);
        expect(await readCheckpoint(join(run, "checkpoints/step-000500"))).toEqual(before);
      },
    );
  });

  test("a fault that passes is survived by writing again from memory, and said", async () => {
    const warnings: WarningEvent[] = [];
    const files = failing(8, "EIO", false);
    await saveCheckpoint(run, checkpoint(500), {
      config,
      files,
      onWarning: (warning) => warnings.push(warning),
    });
    expect(warnings).toEqual([
      {
        type: "warning",
        code: "CHECKPOINT_RETRY",
        message: expect.stringMatching(/step-000500 failed \(EIO.*from memory/),
      },
    ]);
    expect(await readLatest()).toMatchObject(checkpoint(500));
  });

  test.each([
    ["ENOSPC", /the disk is full\. Free some space, .*Earlier checkpoints are untouched/],
    ["EROFS", /read-only/],
    ["EACCES", /no permission/],
  ])("%s says what to do, at once, and leaves no staging", async (code, message) => {
    await save(250);
    // One operation only: were it tried again, it would succeed.
    const saving = save(500, { files: failing(8, code, false) });
    await expect(saving).rejects.toThrow(message);
    await expect(saving).rejects.toBeInstanceOf(CheckpointError);
    expect(await folders()).toEqual(["step-000250"]);
  });

  test("a file where the folder of checkpoints belongs", async () => {
    await writeFile(join(run, "checkpoints"), "in the way");
    await expect(save(1)).rejects.toThrow(/something that is not a folder stands in the way/);
  });

  test("room is checked before anything is written", async () => {
    const files: FileSystem = { ...disk, room: async () => 100 };
    await expect(save(1, { files })).rejects.toThrow(
      /a checkpoint takes \d+\.\d MB, but .* has room for 0\.0 MB/,
    );
    expect(await folders()).toEqual([]);
    await expect(requireRoom(run, 1e18)).rejects.toThrow(/has room for/);
    await expect(requireRoom(run, checkpointSize(checkpoint(1)))).resolves.toBeUndefined();
  });

  test("a stand-in that is the only copy answers, and gets its name back", async () => {
    await save(250);
    await save(500);
    await rename(join(run, "checkpoints/step-000500"), join(run, "checkpoints/.step-000500.replaced"));
    expect(await readLatest()).toMatchObject(checkpoint(500));
    await save(750);
    expect(await folders()).toContain("step-000500");
  });
});

describe("a loss of power", () => {
  /**
   * The disk, up to operation `at`, where the machine stops; `lose` then takes what was never flushed: of files their second
   * half, and of renames all (`undo`) or nothing, since the system may have written them by itself.
   */
  function losingPower(at: number, undo: boolean) {
    let count = 0;
    const unflushed = new Map<string, number>();
    let renames: { from: string; to: string; folder: string }[] = [];
    const step = (): void => {
      if (++count >= at) throw Object.assign(new Error("no power"), { code: "EIO" });
    };
    const files: FileSystem = {
      ...disk,
      mkdir: async (path) => {
        step();
        await disk.mkdir(path);
      },
      rename: async (from, to) => {
        step();
        await disk.rename(from, to);
        renames.push({ from, to, folder: join(to, "..") });
        for (const [path, size] of [...unflushed]) {
          if (!path.startsWith(`${from}/`)) continue;
          unflushed.delete(path);
          unflushed.set(to + path.slice(from.length), size);
        }
      },
      remove: async (path) => {
        step();
        await disk.remove(path);
      },
      syncFolder: async (path) => {
        step();
        await disk.syncFolder(path);
        renames = renames.filter(({ folder }) => folder !== path);
      },
      create: async (path) => {
        step();
        const file = await disk.create(path);
        let size = 0;
        unflushed.set(path, 0);
        return {
          ...file,
          write: async (bytes) => {
            step();
            await file.write(bytes);
            size += bytes.length;
            unflushed.set(path, size);
          },
          sync: async () => {
            step();
            await file.sync();
            unflushed.delete(path);
          },
        };
      },
    };
    const lose = async (): Promise<void> => {
      for (const [path, size] of unflushed) await truncate(path, size >> 1).catch(() => {});
      if (undo) for (const { from, to } of renames.reverse()) await rename(to, from).catch(() => {});
    };
    return { files, lose, operations: () => count };
  }

  test.each([false, true])(
    "at every operation, unflushed renames undone: %s: the old checkpoint or the new one, whole",
    async (undo) => {
      for (let at = 1; ; at++) {
        await rm(run, { recursive: true, force: true });
        await mkdir(run);
        await save(250);
        const { files, lose, operations } = losingPower(at, undo);
        const isSaved = await save(500, { files }).then(
          () => true,
          () => false,
        );
        await lose();
        const latest = await readLatest();
        expect(latest).toMatchObject(checkpoint(latest.step));
        if (isSaved) expect(latest.step).toBe(500);
        await save(750);
        expect((await folders()).filter((name) => name.startsWith("."))).toEqual([]);
        if (operations() < at) {
          expect(at).toBeGreaterThan(15);
          return;
        }
      }
    },
  );

  test("the control: without flushing the files, a checkpoint is lost", async () => {
    await save(250);
    const { files, lose } = losingPower(Number.POSITIVE_INFINITY, false);
    const careless: FileSystem = {
      ...files,
      create: async (path) => ({ ...(await files.create(path)), sync: async () => {} }),
    };
    await save(500, { files: careless });
    await lose();
    expect((await latestCheckpoint(run)).step).toBe(250);
  });

  test("what the checkpoint counts on is flushed before it can be seen; when that fails, there is none", async () => {
    await save(250);
    const flush = async (): Promise<void> => {
      throw Object.assign(new Error("EIO: injected"), { code: "EIO" });
    };
    const saving = saveCheckpoint(run, checkpoint(500), { config, flush });
    await expect(saving).rejects.toMatchObject({ code: "CHECKPOINT_SAVE" });
    expect(await folders()).toEqual(["step-000250"]);
  });
});

test("a process killed while it saves, over and over, leaves the latest checkpoint whole", async () => {
  const source = fileURLToPath(new URL("../../src/run/checkpoint.ts", import.meta.url));
  const script = join(run, "save.mjs");
  await writeFile(
    script,
    `import { createJiti } from ${JSON.stringify(import.meta.resolve("jiti"))};
     const { saveCheckpoint } = await createJiti(import.meta.url, { fsCache: false }).import(${JSON.stringify(source)});
     for (let step = Number(process.argv[2]); ; step++) {
       const tensor = { dtype: "float32", shape: [300_000], data: new Float32Array(300_000).fill(step) };
       await saveCheckpoint(${JSON.stringify(run)}, { step, parameters: new Map([["w", tensor]]), optimizer: new Map(), state: { step } }, { config: {} });
       process.stdout.write(step + "\\n");
     }`,
  );
  let saved = 0;
  for (const delay of [3, 7, 12, 18, 25]) {
    const child = spawn(process.execPath, [script, String(saved + 1)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    for await (const chunk of child.stdout) {
      saved = Number(String(chunk).trim().split("\n").at(-1));
      setTimeout(() => child.kill("SIGKILL"), delay);
    }
    await ended;
    const latest = await readLatest();
    // Never older than what was reported saved.
    expect(latest.step).toBeGreaterThanOrEqual(saved);
    expect(latest.parameters.get("w")?.data.every((value) => value === latest.step)).toBe(true);
    saved = latest.step;
  }
});
