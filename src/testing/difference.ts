import { createHash } from "node:crypto";
import { describeValue } from "../packages/index.ts";
import { broken } from "./check.ts";

/** What a component did, as data of which equal components have equal ones. Typed arrays and NaN are allowed. */
export type Observation = Readonly<Record<string, unknown>>;

/** Data as JSON holds it: typed arrays become arrays, and numbers that JSON has not become their names. */
export function plain(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array, plain);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

/** The first place at which two values of {@link plain} differ: `at ids[3]: 4 …, 5 …`. */
function firstDifference(
  left: unknown,
  right: unknown,
  path: string,
): [string, unknown, unknown] | undefined {
  if (Object.is(left, right)) return undefined;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null)
    return [path, left, right];
  const isList = Array.isArray(left);
  if (isList !== Array.isArray(right)) return [path, left, right];
  const [a, b] = [left, right] as [Record<string, unknown>, Record<string, unknown>];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inner = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const difference = firstDifference(a[key], b[key], inner);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** @throws ConformanceError naming the first place at which two observations differ. */
export function expectEqual(
  claim: string,
  [leftName, left]: readonly [string, unknown],
  [rightName, right]: readonly [string, unknown],
): void {
  const difference = firstDifference(plain(left), plain(right), "");
  if (difference === undefined) return;
  const [path, a, b] = difference;
  const place = path === "" ? "" : `${path} is `;
  broken(`${claim}: ${place}${shown(a)} ${leftName}, ${shown(b)} ${rightName}.`);
}

/** Numbers that JSON has not are their names in {@link plain}, and no text. */
function shown(value: unknown): string {
  return value === "NaN" || value === "Infinity" || value === "-Infinity" ? value : describeValue(value);
}

/** SHA-256 of an array's bytes: what an observation holds of large arrays. */
export function digest(values: ArrayBufferView): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}
