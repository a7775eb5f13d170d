import { InvalidArgumentError } from "commander";
import pc from "picocolors";
import { RegistryError } from "../registry/index.ts";
import { CheckpointError } from "../run/checkpoint.ts";
import { RunFileError } from "../run/problems.ts";
import { RunDirectoryError } from "../run/run-directory.ts";

/** 2 when it was asked wrongly, 1 when the work failed. */
export function exitCodeOf(error: unknown): 1 | 2 {
  const asked = [RunFileError, RunDirectoryError, RegistryError].some((kind) => error instanceof kind);
  return asked || (error instanceof CheckpointError && error.code === "CHECKPOINT_NONE") ? 2 : 1;
}

/** Prints an error for people, on stderr. The stack only of what is nobody's mistake but ours, and when asked for. */
export function report(error: unknown): void {
  const label = pc.red("error");
  if (error instanceof RunFileError) {
    for (const problem of error.message.split("\n"))
      console.error(problem.startsWith(" ") ? problem : `${label}  ${problem}`);
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  console.error(`${label}  ${message}`);
  const known = error instanceof Error && "code" in error;
  if (error instanceof Error && (!known || process.env.CODEX_ML_DEBUG === "1"))
    console.error(error.stack ?? "");
}

/** Reads an option that must be a number in a range. */
export function numberOption(
  name: string,
  { min, max, integer = false }: { min: number; max?: number; integer?: boolean },
) {
  return (text: string): number => {
    const value = Number(text);
    const fits =
      text.trim() !== "" && Number.isFinite(value) && value >= min && (max === undefined || value <= max);
    if (fits && (!integer || Number.isInteger(value))) return value;
    const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`${name} is ${integer ? "a whole number" : "a number"} ${range}.`);
  };
}
