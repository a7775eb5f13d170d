/**
 * What keeps a value from coming back from JSON as it was: JSON turns NaN into null and writes a typed array as an
 * object. An undefined property and a missing one are the same to any reader, and allowed.
 *
 * @returns For example `state.loss is NaN`; undefined when there is nothing.
 */
export function plainJsonProblem(value: object): string | undefined {
  for (const [key, entry] of Object.entries(value)) {
    const problem = problemOf(entry, key);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOf(value: unknown, path: string): string | undefined {
  if (value === null || value === undefined || typeof value === "string" || typeof value === "boolean")
    return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (typeof value !== "object")
    return `${path} is ${typeof value === "bigint" ? `${value}n` : `a ${typeof value}`}`;
  if (!Array.isArray(value) && !isPlain(value)) return `${path} is ${value.constructor.name}`;
  for (const [key, entry] of Object.entries(value)) {
    const problem = problemOf(entry, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Whether an object is a plain record, by shape and not by identity: jiti and test runners have realms of their own. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
