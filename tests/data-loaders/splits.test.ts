import { describe, expect, test } from "vitest";
import { write } from "./temporary-corpus.ts";
import { examplesOf, open, textsOf, words } from "./temporary-records.ts";

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => words(i));
const share = async (examples: readonly string[], options: object) => {
  const loader = await open("memory", { examples, ...options });
  return Object.fromEntries(
    await Promise.all(loader.splits.map(async (split) => [split, await textsOf(loader, split)] as const)),
  );
};

describe("splits by a share", () => {
  test("hold each record exactly once, about as many as asked", async () => {
    const all = texts(2000);
    const { train, validation, test } = await share(all, { validation: 0.2, test: 0.1 });
    expect([...(train ?? []), ...(validation ?? []), ...(test ?? [])].sort()).toEqual([...all].sort());
    expect(validation?.length).toBeGreaterThan(340);
    expect(validation?.length).toBeLessThan(460);
    expect(test?.length).toBeGreaterThan(150);
    expect(test?.length).toBeLessThan(250);
  });

  test("leave every record where it is when data grows, shrinks or moves, and when a test split is taken", async () => {
    const all = texts(300);
    const { validation: before } = await share(all.slice(50, 200), { validation: 0.2 });
    for (const options of [{ validation: 0.2 }, { validation: 0.2, test: 0.2 }]) {
      const { validation } = await share(all.toReversed(), options);
      const old = validation?.filter((text) => all.slice(50, 200).includes(text));
      expect(old?.toSorted()).toEqual(before?.toSorted());
    }
  });

  test("keep equal texts together, and with `splitKey` equal keys", async () => {
    const twice = await share([...texts(100), ...texts(100)], { validation: 0.3 });
    expect(twice.train?.filter((text) => twice.validation?.includes(text))).toEqual([]);
    const users = texts(200).map((text, i) => ({ text, user: i % 20 }));
    const loader = await open("memory", { examples: users, validation: 0.3, splitKey: "user" });
    const usersOf = async (split: "train" | "validation") =>
      new Set((await textsOf(loader, split)).map((text) => users.find((one) => one.text === text)?.user));
    const [train, validation] = [await usersOf("train"), await usersOf("validation")];
    expect(train.size + validation.size).toBe(20);
    expect([...train].filter((user) => validation.has(user))).toEqual([]);
  });

  test("are a tenth for validation and none for test unless told, and none of 0", async () => {
    expect((await open("memory", { examples: texts(5) })).splits).toEqual(["train", "validation"]);
    expect((await open("memory", { examples: texts(5), validation: 0, test: 0 })).splits).toEqual(["train"]);
  });

  test("that nothing falls to are an error before training begins, not at the first evaluation", async () => {
    const loader = await open("memory", { examples: ["only one text that is here"], validation: 0.01 });
    await expect(examplesOf(loader, "train", { sequenceLength: 4 })).rejects.toThrow(
      /the validation split has no records/,
    );
  });
});

describe("splits", () => {
  test("can be files of their own", async () => {
    await write("a.txt", "one\ntwo\n");
    await write("b.txt", "three\n");
    await write("c/d.txt", "four\n");
    const loader = await open("lines", { path: "a.txt", validation: "b.*", test: ["c"] });
    expect(loader.splits).toEqual(["train", "validation", "test"]);
    expect(await textsOf(loader)).toEqual(["one", "two"]);
    expect(await textsOf(loader, "validation")).toEqual(["three"]);
    expect(await textsOf(loader, "test")).toEqual(["four"]);
  });

  test("can be told by a column; a value that names none is an error", async () => {
    const examples = [
      { text: "a", fold: "train" },
      { text: "b", fold: "dev" },
      { text: "c", fold: 3 },
    ];
    const split = { column: "fold", validation: ["dev", "valid"], test: "3" };
    const loader = await open("memory", { examples, split });
    expect(loader.splits).toEqual(["train", "validation", "test"]);
    for (const [name, text] of [
      ["train", "a"] as const,
      ["validation", "b"] as const,
      ["test", "c"] as const,
    ])
      expect(await textsOf(loader, name)).toEqual([text]);
    const other = await open("memory", { examples: [...examples, { text: "d", fold: "tset" }], split });
    await expect(textsOf(other)).rejects.toThrow(
      /examples\[3\] has "tset" in the column "fold", which names no split; those are "train", "dev", "valid", "3"/,
    );
  });

  test("that there are not are an error", async () => {
    await expect(textsOf(await open("memory", { examples: ["a"] }), "test")).rejects.toThrow(
      /the memory loader has no test split, only train, validation/,
    );
  });
});
