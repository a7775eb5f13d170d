/** How values are shown in messages: short, quoted, and without running anybody's `toString`. */

/** A string in double quotes, cut in the middle of nowhere past 80 characters, with control characters escaped. */
export function quote(text: unknown): string {
  if (typeof text !== "string") return describeValue(text);
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}

/** What a value is, for "got …": `42`, `"x"`, `an array of 3`, `a function`, `Toy { encode, vocabSize }`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return quote(value);
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  const maker: unknown =
    prototype === null ? undefined : (prototype as { constructor?: unknown }).constructor;
  const own = Object.keys(value);
  const methods =
    prototype === null || prototype === Object.prototype
      ? []
      : Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
  const members = [...own, ...methods];
  const shown = members.slice(0, 8).join(", ") + (members.length > 8 ? ", …" : "");
  const type =
    typeof maker === "function" && maker !== Object && maker.name !== "" ? `${maker.name} ` : "an object ";
  return members.length === 0 ? `${type}with no members` : `${type}{ ${shown} }`;
}

/** The message of whatever was thrown, with its class when that says more than `Error`. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return describeValue(error);
  return error.name === "Error" ? error.message : `${error.name}: ${error.message}`;
}
