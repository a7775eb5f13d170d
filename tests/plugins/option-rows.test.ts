/** Options as rows: what a schema says, nothing lost, whatever its shape. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type OptionRow, optionCells, optionRows } from "../../src/plugins/option-rows.ts";

const rows = (options: z.ZodType) => optionRows({ options, create: () => ({}) });

/** `name: type limits` of each row, with `?` after the name of what may be left out and the condition before it. */
const told = (shape: z.core.$ZodLooseShape) =>
  rows(z.strictObject(shape))?.map(
    ({ name, type, limits, required, when }) =>
      `${when === undefined ? "" : `[${when}] `}${name}${required ? "" : "?"}: ${[type, ...limits].join(" ")}`,
  );

describe("types and limits", () => {
  test.each<[string, z.ZodType]>([
    ["integer", z.int()],
    ["integer ≥ 1 ≤ 10", z.int().positive().max(10)],
    ["integer ≤ 9", z.int().lt(10)],
    ["number ≥ 0 < 1", z.number().min(0).lt(1)],
    ["number a multiple of 8", z.number().multipleOf(8)],
    ["string length ≥ 1 length ≤ 80", z.string().min(1).max(80)],
    ["string matches /^a+$/", z.string().regex(/^a+$/)],
    ["string email", z.email()],
    ["boolean", z.boolean()],
    ["any", z.any()],
    ["any", z.custom<object>()],
    ['"a" | "b"', z.enum(["a", "b"])],
    ['"a" | 1', z.literal(["a", 1])],
    ["string | null", z.string().nullable()],
    ["string[] items ≥ 2 each length ≥ 1", z.array(z.string().min(1)).min(2)],
    ['("a" | "b")[]', z.array(z.enum(["a", "b"]))],
    ["[number, string]", z.tuple([z.number(), z.string()])],
    ["[number, ...string[]]", z.tuple([z.number()], z.string())],
    ["{ [name]: number } each > 0", z.record(z.string(), z.number().positive())],
    [
      "number | string | string[] number: ≥ 0 string[]: each length ≥ 1",
      z.union([z.number().min(0), z.string(), z.array(z.string().min(1))]),
    ],
    ["string", z.string().transform((text) => text.length)],
  ])("%s", (expected, schema) => {
    expect(told({ option: schema })).toEqual([`option: ${expected}`]);
  });
});

describe("objects inside", () => {
  const inner = z.object({ a: z.int(), b: z.boolean().default(true) });

  test("an object's options follow it, by their path", () => {
    expect(told({ outer: z.object({ inner }).optional() })).toEqual([
      "outer?: object",
      "outer.inner: object",
      "outer.inner.a: integer",
      "outer.inner.b?: boolean",
    ]);
  });

  test("so do those of each in a list, in a record, and in a union with something else", () => {
    expect(told({ list: z.array(inner) })?.slice(1)).toEqual(["list[].a: integer", "list[].b?: boolean"]);
    expect(told({ record: z.record(z.string(), inner) })).toEqual([
      "record: { [name]: object }",
      "record.*.a: integer",
      "record.*.b?: boolean",
    ]);
    expect(told({ either: z.union([z.string(), inner]) })).toEqual([
      "either: string | object",
      "either.a: integer",
      "either.b?: boolean",
    ]);
  });

  test("objects that are combined are one", () => {
    expect(told({ both: z.intersection(inner, z.object({ c: z.string() })) })).toEqual([
      "both: object",
      "both.a: integer",
      "both.b?: boolean",
      "both.c: string",
    ]);
  });

  const schedule = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("cosine"), minimum: z.number() }),
    z.object({ kind: z.literal("step"), every: z.int(), minimum: z.number().optional() }),
    z.object({ kind: z.literal("constant") }),
  ]);

  test("forms that a property tells apart say for which value an option is", () => {
    expect(told({ schedule })).toEqual([
      "schedule: object",
      'schedule.kind: "cosine" | "step" | "constant"',
      '[kind: "cosine"] schedule.minimum: number',
      '[kind: "step"] schedule.every: integer',
      '[kind: "step"] schedule.minimum?: number',
    ]);
  });

  test("so they do when the options themselves have several forms", () => {
    expect(rows(schedule)?.map(({ name, when }) => [name, when])).toEqual([
      ["kind", undefined],
      ["minimum", 'kind: "cosine"'],
      ["every", 'kind: "step"'],
      ["minimum", 'kind: "step"'],
    ]);
  });

  test("forms that nothing tells apart are counted", () => {
    expect(told({ of: z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]) })).toEqual([
      "of: object",
      "[form 1] of.a: integer",
      "[form 2] of.b: integer",
    ]);
  });

  test("one that holds itself ends", () => {
    const tree = z.object({
      name: z.string(),
      get children() {
        return z.array(tree).optional();
      },
    });
    expect(told({ tree })).toEqual(["tree: object", "tree.name: string", "tree.children?: object[]"]);
  });
});

test("defaults and descriptions are kept", () => {
  expect(rows(z.strictObject({ a: z.int().default(3).describe("What it is.") }))).toEqual([
    { name: "a", type: "integer", limits: [], required: false, default: 3, description: "What it is." },
  ] satisfies OptionRow[]);
});

test("no schema, no options; a schema that cannot say, and a function, describe none", () => {
  expect(optionRows({ create: () => ({}) })).toEqual([]);
  expect(rows(z.strictObject({}))).toEqual([]);
  expect(rows(z.string())).toBeUndefined();
  expect(optionRows(() => ({}))).toBeUndefined();
  const mute = { version: 1, vendor: "mute", validate: (value: unknown) => ({ value }) } as const;
  expect(optionRows({ options: { "~standard": mute }, create: () => ({}) })).toBeUndefined();
});

test("cells: limits stand beside a single type, and those of a union in the meaning", () => {
  const [single, either] = rows(
    z.strictObject({
      single: z.number().min(0).max(1).default(0.5),
      either: z.union([z.int().min(1), z.string()]).describe("Which."),
    }),
  ) as [OptionRow, OptionRow];
  expect(optionCells(single)).toEqual({ type: "number", limits: "≥ 0, ≤ 1", fallback: "0.5", meaning: "" });
  expect(optionCells(either)).toEqual({
    type: "integer | string",
    limits: "",
    fallback: "required",
    meaning: "Which. (integer: ≥ 1)",
  });
});
