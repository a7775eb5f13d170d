// @ts-check
/** @import { Tokenizer } from "codex-ml/registry" */
import { InvalidOptionError } from "codex-ml/registry";

const UNKNOWN = "\uFFFD";

/**
 * One id per character of a fixed alphabet, in the alphabet's order from 1 on; 0 is every other character.
 *
 * Lossy: capitals become small letters, and a character outside the alphabet decodes to U+FFFD. What the alphabet can
 * write comes back exactly.
 *
 * @param {{ alphabet?: string }} [options] `alphabet`: its characters, each once and none a capital.
 * @returns {Tokenizer}
 */
export function build({ alphabet = "abcdefghijklmnopqrstuvwxyz .,;:!?'-\n", ...unknown } = {}) {
  for (const name of Object.keys(unknown))
    throw new InvalidOptionError(name, "unknown option; it takes `alphabet`");
  const characters = typeof alphabet === "string" ? [...alphabet] : [];
  if (characters.length === 0)
    throw new InvalidOptionError("alphabet", "expected a text of at least one character");
  if (new Set(characters).size < characters.length || alphabet !== alphabet.toLowerCase())
    throw new InvalidOptionError("alphabet", "expected each character once, and no capitals");
  const tokens = [UNKNOWN, ...characters];
  const ids = new Map(characters.map((character, index) => [character, index + 1]));
  return {
    vocabSize: tokens.length,
    encode: (text) => Int32Array.from([...text.toLowerCase()], (character) => ids.get(character) ?? 0),
    decode: (given) => Array.from(given, (id) => tokens[id] ?? fail(id)).join(""),
  };
}

/** @param {number} id @returns {never} */
function fail(id) {
  throw new RangeError(`toy_tokenizer has no token with the id ${id}`);
}
