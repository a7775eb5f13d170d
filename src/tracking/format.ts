import { flatValue, type MetricValue } from "../metrics/index.ts";

/** Numbers, times and texts as people read them. Pure: no terminal, no clock. */

/** `820,352` */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}

/** Three significant digits, with a letter for thousands and more: `0.53`, `2.41`, `21.9`, `141`, `37.1k`, `1.2M`. */
export function formatShort(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "n/a" : value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001) return formatRate(value);
  for (const [unit, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    // Rounding may carry into the next unit: 999.6 is shown as 1.0k.
    if (size >= unit * 0.9995) return `${digits(value / unit)}${letter}`;
  }
  return digits(value);
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  return value.toFixed(size >= 0.0995 ? 2 : 3);
}

/** A loss, to the third decimal: `3.214`. */
export function formatLoss(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : formatShort(value);
}

/** `31.2%` */
export function formatShare(value: number): string {
  return Number.isFinite(value) ? `${(value * 100).toFixed(1)}%` : formatShort(value);
}

/** `9.5e-4`; a learning rate is compared by its exponent first. */
export function formatRate(value: number): string {
  return value === 0 ? "0.0e+0" : value.toExponential(1);
}

/** `45s`, `1m05s`, `2h03m`, `1d04h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const total = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (total < 60) return `${total}s`;
  if (total < 3600) return `${Math.floor(total / 60)}m${two(total % 60)}s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** `4.3 MB`, by thousands. */
export function formatBytes(bytes: number): string {
  const [size, unit] =
    bytes >= 1e9 ? [bytes / 1e9, "GB"] : bytes >= 1e6 ? [bytes / 1e6, "MB"] : [bytes / 1e3, "kB"];
  return `${size >= 100 ? size.toFixed(0) : size.toPrecision(size >= 10 ? 3 : 2)} ${unit}`;
}

/** What the built-in metrics are called where there is little room. */
const units: Readonly<Record<string, string>> = { bits_per_byte: "bits/byte", token_accuracy: "accuracy" };

/** A metric as value and unit: `2.41 bits/byte`, `21.9 perplexity`, `31.2% accuracy`; several for one with several values. */
export function formatMetric(name: string, value: MetricValue): string[] {
  if (typeof value === "object")
    return flatValue(name, value).map(([part, number]) => `${formatShort(number).padStart(5)} ${part}`);
  const text = name === "token_accuracy" ? formatShare(value) : formatShort(value);
  return [`${text.padStart(5)} ${units[name] ?? name}`];
}

/**
 * Text that somebody else wrote (a model, a plugin), safe to show: control characters, with which it could rewrite the
 * screen, become their pictures, and those that turn the direction of writing become "�". Line breaks stay.
 */
export function printable(text: string): string {
  return (
    text
      .replaceAll("\r\n", "\n")
      .replaceAll("\t", "    ")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point.
      .replaceAll(/[\u0000-\u0009\u000b-\u001f]/g, (control) =>
        String.fromCharCode(0x2400 + control.charCodeAt(0)),
      )
      .replaceAll("\u007f", "␡")
      .replaceAll(/[\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "�")
  );
}

/** Breaks text into lines of at most `width` characters, at spaces where it can. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = [...line];
    while (rest.length > width) {
      const space = rest.lastIndexOf(" ", width);
      const cut = space > 0 ? space : width;
      lines.push(rest.slice(0, cut).join(""));
      rest = rest.slice(space > 0 ? cut + 1 : cut);
    }
    return [...lines, rest.join("")];
  });
}

/** A whole number near `total / 20` that people count in: 1, 2, 5, 10, 20, 50 … */
export function niceInterval(total: number): number {
  const wanted = total / 20;
  for (let power = 1; ; power *= 10)
    for (const factor of [1, 2, 5]) if (factor * power >= wanted) return factor * power;
}
