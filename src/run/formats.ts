/**
 * Why what has this format cannot be read; the name of what has it goes before.
 *
 * @param known The only version that is read so far.
 */
export function unreadableFormat(format: unknown, known: number): string {
  const isNewer = typeof format === "number" && format > known;
  const advice = isNewer ? ". A newer version wrote it: update codex-ml" : "";
  return `has the format ${JSON.stringify(format)}; this version of codex-ml reads ${known}${advice}`;
}
