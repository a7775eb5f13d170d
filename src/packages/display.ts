/** How values are shown in messages: short, quoted, and without running anybody's `toString`. */

/** A string in double quotes, cut past 80 characters, with control characters escaped. */
export function quote(text: unknown): string {
  if (typeof text !== "string") return describeValue(text);
  const json = JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);
  // JSON lets pass what turns the direction of a line on a terminal, or cannot be seen.
  return json.replace(/[\p{Cc}\p{Cf}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** What a value is, for "got …": `42`, `"x"`, `an array of 3`, `a function`, `Toy { encode, vocabSize }`. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null;
  const isPlain = prototype === null || prototype === Object.prototype;
  const maker = isPlain ? undefined : prototype.constructor;
  const type = typeof maker === "function" && maker.name !== "" ? maker.name : "an object";
  const methods = isPlain ? [] : Object.getOwnPropertyNames(prototype).filter((key) => key !== "constructor");
  const members = [...Object.keys(value), ...methods];
  if (members.length === 0) return `${type} with no members`;
  return `${type} { ${members.slice(0, 8).join(", ")}${members.length > 8 ? ", …" : ""} }`;
}

/** The message of whatever was thrown, with its class when that says more than `Error`. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return describeValue(error);
  return error.name === "Error" ? error.message : `${error.name}: ${error.message}`;
}

/** `my-extension@1.2.0`, or the name alone where no version is known. */
export function packageLabel(name: string, version: string | undefined): string {
  return version === undefined ? name : `${name}@${version}`;
}
