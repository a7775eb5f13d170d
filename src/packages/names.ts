import { quote } from "./display.ts";
import { RegistryNameError } from "./errors.ts";

const NAME = /^[a-z0-9][a-z0-9@:._-]*$/;
const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i;

/** Whether `text` can be the name of an npm package, and so cannot lead out of `node_modules`. */
export function isPackageName(text: string): boolean {
  return PACKAGE_NAME.test(text) && text !== "node_modules";
}

/**
 * The one spelling of a name: trimmed, lower-cased, `^[a-z0-9][a-z0-9@:._-]*$`.
 *
 * @throws {RegistryNameError} showing the character that cannot be in a name.
 */
export function normalizeName(name: unknown): string {
  if (typeof name !== "string") throw new RegistryNameError(name, `a name is a string, not ${quote(name)}`);
  if (NAME.test(name)) return name;
  // Only A–Z: the full mapping would turn look-alikes such as the Kelvin sign into ASCII letters.
  const key = name.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (NAME.test(key)) return key;
  if (key === "") throw new RegistryNameError(name, "a name has at least one character");
  const offending = /[^a-z0-9@:._-]/u.exec(key)?.[0];
  if (offending !== undefined)
    throw new RegistryNameError(name, `${showCharacter(offending)} cannot be in a name`);
  throw new RegistryNameError(
    name,
    `a name begins with a letter or a digit, not with ${quote(key.charAt(0))}`,
  );
}

/**
 * Takes a reference apart, into a name and the package whose component alone is meant: `name`, `package/name` or
 * `@scope/package/name`.
 */
export function parseReference(reference: unknown): readonly [name: string, owner?: string] {
  const slash = typeof reference === "string" ? reference.lastIndexOf("/") : -1;
  if (typeof reference !== "string" || slash === -1) return [normalizeName(reference)];
  const owner = reference.slice(0, slash).trimStart();
  if (isPackageName(owner)) return [normalizeName(reference.slice(slash + 1)), owner];
  const problem = `before the last "/" stands a package, and ${quote(owner)} is no package name`;
  throw new RegistryNameError(reference, problem);
}

function showCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return /^[\x21-\x7e]$/.test(character) ? `"${character}"` : `${quote(character)} (U+${code})`;
}
