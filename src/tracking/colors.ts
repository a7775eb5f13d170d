import { createColors } from "picocolors";

/** How the parts of a line are told apart; every function gives its text unchanged where there are no colours. */
export type Colors = ReturnType<typeof createColors>;

interface Stream {
  readonly isTTY?: boolean | undefined;
}

/** Whether a stream is a terminal that can do more than print. */
export function isCapable(stream: Stream): boolean {
  return stream.isTTY === true && process.env.TERM !== "dumb";
}

/** Whether a variable of the environment says yes: `CI=true`, but not `CI=`, `CI=0` and `CI=false`. */
export function isOn(value: string | undefined): boolean {
  return !["", "0", "false"].includes((value ?? "").toLowerCase());
}

/** Colours for a terminal, unless `NO_COLOR` is set; for anything, when `FORCE_COLOR` is. */
export function colorsFor(stream: Stream): Colors {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  return createColors((NO_COLOR ?? "") === "" && (isCapable(stream) || (FORCE_COLOR ?? "0") !== "0"));
}
