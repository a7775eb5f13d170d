/** The lock of a run directory: one process at a time, and a dead one does not block the living. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockName, lockRunDirectory } from "../../src/run/run-lock.ts";
import { newFolder, removeFolders } from "./stopping.ts";

let folder: string;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(removeFolders);

const read = async () => JSON.parse(await readFile(join(folder, lockName), "utf8"));

const lockFiles = async () => (await readdir(folder)).filter((name) => name.startsWith(lockName));

/** Takes the lock, changes what it says of its holder, and forgets that it is ours. */
async function lockOf(change: (holder: Record<string, unknown>) => object): Promise<void> {
  const lock = await lockRunDirectory(folder);
  const holder = await read();
  await lock.release();
  await writeFile(join(folder, lockName), JSON.stringify({ ...holder, id: "another", ...change(holder) }));
}

/** The number of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", "0"]);
  await new Promise((resolve) => child.once("close", resolve));
  return child.pid ?? 0;
}

test("it says who holds it, a second is refused with that, and released it is free", async () => {
  const lock = await lockRunDirectory(folder);
  expect(await read()).toMatchObject({
    pid: process.pid,
    host: hostname(),
    since: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  const second = lockRunDirectory(folder);
  await expect(second).rejects.toMatchObject({ code: "RUN_DIRECTORY_LOCKED" });
  await expect(second).rejects.toThrow(
    new RegExp(`in use by process ${process.pid} on ${hostname()}, since .*--force lock`),
  );
  await lock.release();
  await (await lockRunDirectory(folder)).release();
});

test("of many at once, one gets it", async () => {
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => lockRunDirectory(folder)));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("of many at once that find the lock of a dead process, one gets it", async () => {
  const pid = await deadPid();
  for (let round = 0; round < 20; round++) {
    await lockOf(() => ({ pid }));
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => lockRunDirectory(folder)));
    const locks = all.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]?.release();
    expect(await lockFiles()).toEqual([]);
  }
});

test("of several processes that find the lock of a dead one, or of one that died taking it over, one gets it", async () => {
  const pid = await deadPid();
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "lock-child.mjs")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  try {
    for (const { lines } of children) expect((await lines.next()).value).toBe("ready");
    for (let round = 0; round < 25; round++) {
      await lockOf(() => ({ pid }));
      // In every other round somebody claimed that lock, and died before it was replaced.
      if (round % 2 === 1) {
        const text = await readFile(join(folder, lockName), "utf8");
        const digest = createHash("sha256").update(text).digest("hex").slice(0, 32);
        await writeFile(join(folder, `${lockName}.claim-${digest}`), text);
      }
      for (const { child } of children) child.stdin.write(`${folder}\n`);
      const got: unknown[] = [];
      for (const { lines } of children) got.push((await lines.next()).value);
      expect(got.filter((line) => line === "1")).toHaveLength(1);
      expect(await lockFiles()).toEqual([lockName]);
      await rm(join(folder, lockName));
    }
  } finally {
    for (const { child } of children) child.kill();
  }
});

test("a process that is alive holds it", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  try {
    const started = async () =>
      (await readFile(`/proc/${child.pid}/stat`, "utf8")).split(") ")[1]?.split(" ")[19];
    const own = process.platform === "linux" ? { started: await started() } : {};
    await lockOf(() => ({ pid: child.pid, ...own }));
    await expect(lockRunDirectory(folder)).rejects.toThrow(/it still runs/);
  } finally {
    child.kill();
  }
});

test("another machine's cannot be judged: it is refused, and taken by force", async () => {
  await lockOf(() => ({ host: "elsewhere" }));
  await expect(lockRunDirectory(folder)).rejects.toThrow(/on elsewhere.*another machine/);
  const lock = await lockRunDirectory(folder, true);
  expect(lock.note).toMatch(/taken by force/);
  await lock.release();
});

test.each([
  ["is gone", async () => ({ pid: await deadPid() })],
  ["ran before the machine was started anew", async () => ({ pid: process.ppid, boot: "another" })],
  ["had this number before the one that has it now", async () => ({ pid: process.ppid, started: "1" })],
  ["had the number that this process has", async () => ({ pid: process.pid, started: "1" })],
])("a process that %s holds nothing", async (_, change) => {
  const changed = await change();
  await lockOf(() => changed);
  const lock = await lockRunDirectory(folder);
  expect(lock.note).toMatch(/was taken over: that process is gone/);
  expect(await read()).toMatchObject({ pid: process.pid });
  await lock.release();
});

test("in a copy of the directory the lock means nothing", async () => {
  await lockOf(() => ({ pid: process.ppid, started: undefined, folder: "0:0" }));
  const lock = await lockRunDirectory(folder);
  expect(lock.note).toBeUndefined();
  await lock.release();
});

test("a lock that was taken by force is not released by who had it before", async () => {
  const first = await lockRunDirectory(folder);
  const second = await lockRunDirectory(folder, true);
  await first.release();
  await expect(lockRunDirectory(folder)).rejects.toMatchObject({ code: "RUN_DIRECTORY_LOCKED" });
  await second.release();
});

test("a lock that cannot be read is taken over", async () => {
  await writeFile(join(folder, lockName), "");
  const lock = await lockRunDirectory(folder);
  expect(lock.note).toMatch(/unreadable/);
  await lock.release();
});
