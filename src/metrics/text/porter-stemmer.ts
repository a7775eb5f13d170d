/**
 * The Porter stemmer with NLTK's changes, which is the one of rouge-score: irregular forms by table, words of one or two
 * letters left alone, `y` to `i` after consonants only, and others noted below.
 * Source: Porter (1980), "An algorithm for suffix stripping", whose steps and conditions these are.
 */
export function porterStem(word: string): string {
  const irregular = irregularForms.get(word);
  if (irregular !== undefined) return irregular;
  if (word.length <= 2) return word;
  return [step1a, step1b, step1c, step2, step3, step4, step5a, step5b].reduce(
    (stem, step) => step(stem),
    word,
  );
}

const irregularForms = new Map(
  Object.entries({
    sky: ["sky", "skies"],
    die: ["dying"],
    lie: ["lying"],
    tie: ["tying"],
    news: ["news"],
    inning: ["innings", "inning"],
    outing: ["outings", "outing"],
    canning: ["cannings", "canning"],
    howe: ["howe"],
    proceed: ["proceed"],
    exceed: ["exceed"],
    succeed: ["succeed"],
  }).flatMap(([stem, forms]) => forms.map((form): [string, string] => [form, stem])),
);

/** The word in c and v: consonants and vowels. A y after a consonant is a vowel. */
function shape(word: string): string {
  let letters = "";
  for (const letter of word) {
    const isVowel = "aeiou".includes(letter) || (letter === "y" && letters.endsWith("c"));
    letters += isVowel ? "v" : "c";
  }
  return letters;
}

/** The paper's m: how many times a consonant follows a vowel. */
function measure(stem: string): number {
  return shape(stem).split("vc").length - 1;
}

function endsInDoubleConsonant(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && shape(word).endsWith("c");
}

/** The paper's *o: consonant, vowel, consonant at the end, the last not w, x or y. NLTK adds words of vowel and consonant. */
function endsInShortSyllable(word: string): boolean {
  const letters = shape(word);
  return (letters.endsWith("cvc") && !/[wxy]$/.test(word)) || letters === "vc";
}

type Rule = readonly [suffix: string, replacement: string, holds?: (stem: string) => boolean];

/** The first rule whose suffix fits decides, even when its condition does not hold. */
function apply(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, holds] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return holds === undefined || holds(stem) ? stem + replacement : word;
  }
  return word;
}

const any = (stem: string) => measure(stem) > 0;
const several = (stem: string) => measure(stem) > 1;

function step1a(word: string): string {
  if (word.length === 4 && word.endsWith("ies")) return word.slice(0, -1);
  return apply(word, [
    ["sses", "ss"],
    ["ies", "i"],
    ["ss", "ss"],
    ["s", ""],
  ]);
}

function step1b(word: string): string {
  if (word.endsWith("ied")) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith("eed")) return any(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ["ed", "ing"].find(
    (ending) => word.endsWith(ending) && shape(word.slice(0, -ending.length)).includes("v"),
  );
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsInDoubleConsonant(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

function step1c(word: string): string {
  return apply(word, [["y", "i", (stem) => stem.length > 1 && shape(stem).endsWith("c")]]);
}

function step2(word: string): string {
  // NLTK: first of all, and what comes of it goes through the step again.
  if (word.endsWith("alli") && any(word.slice(0, -4))) return step2(word.slice(0, -2));
  return apply(word, [
    ["ational", "ate", any],
    ["tional", "tion", any],
    ["enci", "ence", any],
    ["anci", "ance", any],
    ["izer", "ize", any],
    ["bli", "ble", any],
    ["alli", "al", any],
    ["entli", "ent", any],
    ["eli", "e", any],
    ["ousli", "ous", any],
    ["ization", "ize", any],
    ["ation", "ate", any],
    ["ator", "ate", any],
    ["alism", "al", any],
    ["iveness", "ive", any],
    ["fulness", "ful", any],
    ["ousness", "ous", any],
    ["aliti", "al", any],
    ["iviti", "ive", any],
    ["biliti", "ble", any],
    ["fulli", "ful", any],
    // The l belongs to the stem, so that geo- and theo- go with archaeo-.
    ["logi", "log", (stem) => any(`${stem}l`)],
  ]);
}

function step3(word: string): string {
  return apply(word, [
    ["icate", "ic", any],
    ["ative", "", any],
    ["alize", "al", any],
    ["iciti", "ic", any],
    ["ical", "ic", any],
    ["ful", "", any],
    ["ness", "", any],
  ]);
}

function step4(word: string): string {
  const before: Rule[] = [
    "al",
    "ance",
    "ence",
    "er",
    "ic",
    "able",
    "ible",
    "ant",
    "ement",
    "ment",
    "ent",
  ].map((suffix) => [suffix, "", several]);
  const after: Rule[] = ["ou", "ism", "ate", "iti", "ous", "ive", "ize"].map((suffix) => [
    suffix,
    "",
    several,
  ]);
  return apply(word, [...before, ["ion", "", (stem) => several(stem) && /[st]$/.test(stem)], ...after]);
}

function step5a(word: string): string {
  if (!word.endsWith("e")) return word;
  const stem = word.slice(0, -1);
  return several(stem) || (measure(stem) === 1 && !endsInShortSyllable(stem)) ? stem : word;
}

function step5b(word: string): string {
  return word.endsWith("ll") && several(word.slice(0, -1)) ? word.slice(0, -1) : word;
}
