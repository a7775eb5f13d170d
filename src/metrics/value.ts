/**
 * A number, or several with names (`{ precision, recall }`), which may hold further ones (a row of a confusion matrix).
 * `NaN` means undefined, for example over no tokens.
 */
export type MetricValue = number | { readonly [name: string]: MetricValue };

/** The numbers of a value with the names that lead to them: `[["f1.spam", 0.9], …]`; one number alone has the name `name`. */
export function flatValue(name: string, value: MetricValue): [name: string, value: number][] {
  if (typeof value === "number") return [[name, value]];
  return Object.entries(value).flatMap(([part, inner]) => flatValue(`${name}.${part}`, inner));
}

/** Whether it is a number, or an object of such, by names. */
export function isMetricValue(value: unknown): value is MetricValue {
  if (typeof value !== "object" || value === null) return typeof value === "number";
  return !Array.isArray(value) && Object.values(value).every(isMetricValue);
}
