import { beamEditDistance, type Edit } from "./beam-edit-distance.ts";

const longestShift = 10;
const farthestShift = 50;
const mostCandidates = 1000;

/**
 * Fewest edits that turn a prediction into a reference, where moving a run of words costs as much as changing one. Shifts are
 * searched greedily: the one that saves most, until none saves anything. Source: Snover et al. (2006), "A Study of Translation
 * Edit Rate", with the limits of its program Tercom.
 */
export function translationEdits(prediction: readonly string[], reference: readonly string[]): number {
  if (reference.length === 0) return prediction.length;
  let words = prediction;
  let shifts = 0;
  for (let tried = 0; ; shifts++) {
    const shift = bestShift(words, reference, tried);
    tried = shift.tried;
    // Out of patience, even the shift that was found is left undone: so does Tercom.
    if (tried >= mostCandidates || shift.saved <= 0) break;
    words = shift.words;
  }
  return shifts + beamEditDistance(words, reference).distance;
}

interface Shift {
  readonly saved: number;
  readonly length: number;
  readonly start: number;
  readonly target: number;
  readonly words: readonly string[];
}

/** The shift that saves most; of equal ones the longest, then the first, then that to the first place. */
function bestShift(
  words: readonly string[],
  reference: readonly string[],
  triedBefore: number,
): { readonly saved: number; readonly words: readonly string[]; readonly tried: number } {
  const before = beamEditDistance(words, reference);
  const { placeOf, isWrong, isMissed } = align(before.edits);
  let best: Shift | undefined;
  let tried = triedBefore;
  for (const { start, place, length } of commonRuns(words, reference)) {
    // Only what is wrong where it stands, and missing where it would go, is worth moving.
    if (!isWrong.slice(start, start + length).includes(true)) continue;
    if (!isMissed.slice(place, place + length).includes(true)) continue;
    const aligned = placeOf[place] ?? -1;
    if (start <= aligned && aligned < start + length) continue;
    let previous = -1;
    for (let offset = -1; offset < length; offset++) {
      const at = place + offset;
      if (at >= placeOf.length) break;
      const target = at === -1 ? 0 : (placeOf[at] ?? -1) + 1;
      if (target === previous) continue;
      previous = target;
      const shifted = shift(words, start, length, target);
      const saved = before.distance - beamEditDistance(shifted, reference).distance;
      const candidate = { saved, length, start, target, words: shifted };
      tried++;
      if (best === undefined || isBetter(candidate, best)) best = candidate;
    }
    if (tried >= mostCandidates) break;
  }
  return { saved: best?.saved ?? 0, words: best?.words ?? words, tried };
}

function isBetter(a: Shift, b: Shift): boolean {
  if (a.saved !== b.saved) return a.saved > b.saved;
  if (a.length !== b.length) return a.length > b.length;
  return a.start !== b.start ? a.start < b.start : a.target < b.target;
}

/** Which word of the prediction each word of the reference became, and what went wrong on either side. */
function align(edits: readonly Edit[]) {
  const placeOf: number[] = [];
  const isWrong: boolean[] = [];
  const isMissed: boolean[] = [];
  for (const edit of edits) {
    if (edit !== "add") isWrong.push(edit !== "keep");
    if (edit === "remove") continue;
    placeOf.push(isWrong.length - 1);
    isMissed.push(edit !== "keep");
  }
  return { placeOf, isWrong, isMissed };
}

/** Every run of words that both have, not too far apart: from the prediction's `start` and the reference's `place` on. */
function* commonRuns(words: readonly string[], reference: readonly string[]) {
  for (let start = 0; start < words.length; start++)
    for (let place = 0; place < reference.length; place++) {
      if (Math.abs(place - start) > farthestShift) continue;
      const most = Math.min(longestShift, words.length - start, reference.length - place);
      for (
        let length = 1;
        length <= most && words[start + length - 1] === reference[place + length - 1];
        length++
      )
        yield { start, place, length };
    }
}

/** Moves a run of words to before what stands at `target`. */
function shift(words: readonly string[], start: number, length: number, target: number): string[] {
  const run = words.slice(start, start + length);
  if (target < start)
    return [...words.slice(0, target), ...run, ...words.slice(target, start), ...words.slice(start + length)];
  // A target inside the run means as far behind it.
  const end = target > start + length ? target : target + length;
  return [...words.slice(0, start), ...words.slice(start + length, end), ...run, ...words.slice(end)];
}
