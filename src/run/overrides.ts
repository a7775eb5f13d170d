import { describeValue } from "../packages/index.ts";
import { isRecord } from "./check-config.ts";
import type { ConfigPath, RunFileProblem } from "./problems.ts";
import { parseYaml } from "./yaml-source.ts";

/** One `--set path=value`. */
export interface Override {
  readonly path: ConfigPath;
  readonly value: unknown;
}

/** An override that was applied. */
export interface AppliedOverride extends Override {
  /** Length of the shortest beginning of the path at which there was nothing before. */
  readonly created: number;
}

/** How many keys of a path lead to something in `root`. */
export function existingDepth(root: unknown, path: ConfigPath): number {
  let node = root;
  for (const [depth, key] of path.entries()) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return depth;
    node = (node as Readonly<Record<string | number, unknown>>)[key];
  }
  return path.length;
}

/** Components that may be written as a bare name; setting an option of one turns the name into `{ name }`. */
const slots = ["tokenizer", "data", "model", "trainer"];

/** Reads `trainer.maxSteps=10` or `metrics.0.k=5`; undefined when it adds a problem instead. */
export function parseOverride(assignment: string, problems: RunFileProblem[]): Override | undefined {
  const equals = assignment.indexOf("=");
  const left = (equals === -1 ? assignment : assignment.slice(0, equals)).trim();
  const keys = left.replaceAll(/\[(\d+)\]/g, ".$1").split(".");
  const say = (message: string): undefined => {
    problems.push({ file: "--set", path: left === "" ? [] : keys, message });
  };
  if (equals === -1) return say("expected path=value, for example trainer.maxSteps=100");
  if (keys.some((key) => key === ""))
    return say("expected a path of keys with dots between, for example trainer.maxSteps");
  const text = assignment.slice(equals + 1);
  if (text.trim() === "") return say('no value after "="; for empty text write ""');
  const source = parseYaml(text);
  // A mapping without braces is more likely text with a colon in it: `prompt=Call me: Ishmael`.
  if (source.block) return { path: keys, value: text.trim() };
  const [problem] = source.problems;
  if (problem !== undefined) {
    // A leading * or & is a reference in YAML, but a glob is what people mean.
    const hint = /^\s*[*&!|>%@`]/.test(text) ? `; for text write ${left}='"${text.trim()}"'` : "";
    return say(`cannot read the value ${describeValue(text)}: ${problem.message}${hint}`);
  }
  return { path: keys, value: source.value };
}

type Result = { readonly value: unknown } | { readonly problem: string };

/** `root` with the value at the override's path replaced. What lies beside the path is shared, nothing is changed. */
export function setAt(root: unknown, { path, value }: Override): Result {
  return assign(root, path, value, []);
}

function assign(node: unknown, [key, ...rest]: ConfigPath, value: unknown, walked: ConfigPath): Result {
  if (key === undefined) return { value };
  const place = walked.length === 0 ? "the run" : walked.join(".");
  const container = typeof node === "string" && isSlot(walked) ? { name: node } : (node ?? {});
  if (Array.isArray(container)) {
    const index = Number(key);
    // One past the end appends.
    if (!Number.isInteger(index) || index < 0 || index > container.length)
      return {
        problem: `${place} is a list of ${container.length}; expected an index from 0 to ${container.length}, got "${key}"`,
      };
    const entry = assign(container[index], rest, value, [...walked, key]);
    return "problem" in entry ? entry : { value: Object.assign([...container], { [index]: entry.value }) };
  }
  if (!isRecord(container))
    return { problem: `${place} is ${describeValue(container)}; it has no "${key}" to set` };
  const entry = assign(Object.hasOwn(container, key) ? container[key] : undefined, rest, value, [
    ...walked,
    key,
  ]);
  // A computed key in a literal, unlike an assignment, makes an own property of `__proto__` too.
  return "problem" in entry ? entry : { value: { ...container, [key]: entry.value } };
}

/** Whether a bare name here stands for a component. */
export function isSlot(path: ConfigPath): boolean {
  const [first] = path;
  return path.length === 1 ? slots.includes(String(first)) : path.length === 2 && first === "metrics";
}
