import { describe, expect, test } from "vitest";
import { write } from "./temporary-corpus.ts";
import { examplesOf, open, spell, textsOf } from "./temporary-records.ts";

async function mixture(
  counts: Readonly<Record<string, number>>,
  weights: Readonly<Record<string, number>>,
  options: object = {},
) {
  for (const [name, count] of Object.entries(counts))
    await write(`${name}.txt`, Array.from({ length: count }, (_, i) => `${name}${i}\n`).join(""));
  const sources = Object.entries(weights).map(([name, weight]) => ({ path: `${name}.txt`, weight }));
  return open("lines", { sources, packing: false, validation: 0, ...options });
}

const epochOf = async (loader: Awaited<ReturnType<typeof mixture>>, epoch: number, seed = 1, start = 0) =>
  (await examplesOf(loader, "train", { shuffle: true, epoch, seed, start })).map(spell);

describe("weighted sources", () => {
  test("have the shares of their weights, mixed, until the first has been read once", async () => {
    const loader = await mixture({ a: 300, b: 1000 }, { a: 3, b: 1 });
    const epoch = await epochOf(loader, 0);
    expect(epoch).toHaveLength(400);
    expect(new Set(epoch.filter((text) => text.startsWith("a"))).size).toBe(300);
    expect(new Set(epoch.filter((text) => text.startsWith("b"))).size).toBe(100);
    const half = epoch.slice(0, 200).filter((text) => text.startsWith("a")).length;
    expect(half).toBeGreaterThan(120);
    expect(half).toBeLessThan(180);
  });

  test("go on in the next epoch where they were, so that all is read, equally often", async () => {
    const loader = await mixture({ a: 30, b: 100 }, { a: 1, b: 1 });
    const seen = new Map<string, number>();
    for (let epoch = 0; epoch < 10; epoch++)
      for (const text of await epochOf(loader, epoch)) seen.set(text, (seen.get(text) ?? 0) + 1);
    expect(seen.size).toBe(130);
    for (const [text, count] of seen) expect(count).toBe(text.startsWith("a") ? 10 : 3);
  });

  test("go on from any position, differ by seed and epoch, and are the same for the same", async () => {
    const loader = await mixture({ a: 30, b: 100 }, { a: 2, b: 1 });
    const whole = await epochOf(loader, 3);
    for (const start of [1, 17, 44, 45, 99])
      expect(await epochOf(loader, 3, 1, start)).toEqual(whole.slice(start));
    expect(await epochOf(loader, 4)).not.toEqual(whole);
    expect(await epochOf(loader, 3, 2)).not.toEqual(whole);
    expect(await epochOf(await mixture({ a: 30, b: 100 }, { a: 2, b: 1 }), 3)).toEqual(whole);
  });

  test("are packed each by itself", async () => {
    const loader = await mixture({ a: 400, b: 400 }, { a: 1, b: 3 }, { packing: true });
    const epoch = await epochOf(loader, 2);
    expect(epoch.every((text) => text.length === 17 && !(text.includes("a") && text.includes("b")))).toBe(
      true,
    );
    const share = epoch.filter((text) => text.includes("b")).length / epoch.length;
    expect(share).toBeCloseTo(0.75, 1);
  });

  test("come one after another in order, and count with their weights in the fingerprint", async () => {
    const loader = await mixture({ a: 2, b: 2 }, { a: 1, b: 5 });
    expect((await examplesOf(loader)).map(spell)).toEqual(["a0¶", "a1¶", "b0¶", "b1¶"]);
    expect(await textsOf(loader)).toEqual(["a0", "a1", "b0", "b1"]);
    const fingerprint = await loader.fingerprint();
    expect(await (await mixture({ a: 2, b: 2 }, { a: 1, b: 5 })).fingerprint()).toBe(fingerprint);
    expect(await (await mixture({ a: 2, b: 2 }, { a: 1, b: 4 })).fingerprint()).not.toBe(fingerprint);
  });

  test("may have columns of their own, but not labels in one alone", async () => {
    await write("a.jsonl", '{"text":"one"}\n');
    await write("b.jsonl", '{"title":"two"}\n');
    const sources = [
      { path: "a.jsonl", weight: 1 },
      { path: "b.jsonl", weight: 1, columns: { text: "title" } },
    ];
    expect(await textsOf(await open("jsonl", { sources, validation: 0 }))).toEqual(["one", "two"]);
    const uneven = [sources[0], { path: "b.jsonl", weight: 1, columns: { label: "title" } }];
    await expect(open("jsonl", { sources: uneven })).rejects.toThrow(
      /sources\[1\]\.columns.*all sources have labels or none/s,
    );
  });

  test("that are empty, or too rare for one example, are an error", async () => {
    await expect(epochOf(await mixture({ a: 3, b: 0 }, { a: 1, b: 1 }), 0)).rejects.toThrow(
      /the train split of sources\[1\] has no records/,
    );
    await expect(epochOf(await mixture({ a: 3, b: 3 }, { a: 1, b: 0.01 }), 0)).rejects.toThrow(
      /sources\[1\] has no example in an epoch: its weight is too small/,
    );
  });
});
