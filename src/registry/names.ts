import { quote } from "./display.ts";
import { RegistryNameError } from "./errors.ts";

/** A component's name as it was asked for: by itself, or as one package's component and no other. */
export interface Reference {
  readonly package: string | undefined;
  readonly name: string;
}

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
  // Only A–Z: the full mapping would turn look-alikes such as the Kelvin sign into ASCII letters.
  const key = name.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (key === "") throw new RegistryNameError(name, "a name has at least one character");
  const offending = /[^a-z0-9@:._-]/u.exec(key);
  if (offending !== null)
    throw new RegistryNameError(name, `${showCharacter(offending[0])} cannot be in a name`);
  const first = key.charAt(0);
  if (!/[a-z0-9]/.test(first))
    throw new RegistryNameError(
      name,
      `a name begins with a letter or a digit, not with ${showCharacter(first)}`,
    );
  return key;
}

/** Reads `name`, `package/name` or `@scope/package/name`. */
export function parseReference(reference: unknown): Reference {
  if (typeof reference !== "string" || !reference.includes("/"))
    return { package: undefined, name: normalizeName(reference) };
  const trimmed = reference.trim();
  const slash = trimmed.lastIndexOf("/");
  const owner = trimmed.slice(0, slash);
  if (!isPackageName(owner))
    throw new RegistryNameError(
      reference,
      `before the last "/" stands a package, and ${quote(owner)} is no package name`,
    );
  return { package: owner, name: normalizeName(trimmed.slice(slash + 1)) };
}

function showCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return /^[\x21-\x7e]$/.test(character) ? `"${character}"` : `${JSON.stringify(character)} (U+${code})`;
}
