import { expect, test } from "vitest";
import { inTurn, Profiling } from "../../src/runtime/ort/turns.ts";

/** Works that take turns of the event loop, and how many of them ran at a time at most. */
async function most(works: number, before: () => void = () => {}): Promise<number> {
  let [running, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    running--;
  };
  const all = [inTurn(work)];
  before();
  most = 0;
  while (all.length < works) all.push(inTurn(work));
  await Promise.all(all);
  return most;
}

test("works run at the same time, and begin at once", async () => {
  expect(await most(5)).toBe(5);
  let begun = false;
  const work = inTurn(async () => {
    begun = true;
  });
  expect(begun).toBe(true);
  await work;
});

test("one after the other while anything is profiled, also behind one that began before", async () => {
  let profiling: Profiling | undefined;
  const count = await most(5, () => {
    profiling = new Profiling();
  });
  expect(count).toBe(1);
  const other = new Profiling();
  profiling?.end();
  profiling?.end();
  expect(await most(3)).toBe(1);
  other.end();
  expect(await most(3)).toBe(3);
});

test("a work that fails lets the next one begin", async () => {
  const profiling = new Profiling();
  const failing = inTurn(() => Promise.reject(new Error("no")));
  const next = inTurn(async () => "yes");
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("yes");
  profiling.end();
});
