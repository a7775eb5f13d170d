import { InvalidArgumentError, Option } from "commander";
import { deviceChoices } from "../runtime/devices/choices.ts";

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

/** Collects what a repeated option is given. */
export function collect(text: string, all: readonly string[] = []): readonly string[] {
  return [...all, text];
}

/** `--import ./local.ts`: modules that register a project's own components. */
export function importOption(): Option {
  return new Option(
    "--import <module>",
    "import a module that registers components (may be repeated)",
  ).argParser(collect);
}

/** Imports what `--import` named, relative to the working directory. */
export async function importNamed(paths: readonly string[] = []): Promise<void> {
  if (paths.length === 0) return;
  const { importModules } = await import("../run/imports.ts");
  await importModules(paths, process.cwd());
}

/** `--device cpu|auto|cuda|webgpu`: what computes. */
export function deviceOption(): Option {
  return new Option("--device <name>", "what computes, as `device` in a run file (default: cpu)").choices([
    ...deviceChoices,
  ]);
}

/** `--checkpoint best|last`: which of a run's checkpoints is meant. */
export function checkpointOption(): Option {
  return new Option(
    "--checkpoint <which>",
    "the best on the validation split, where the run kept it (default), or the last",
  ).choices(["best", "last"]);
}

/** `--fallback`: another checkpoint than the one that is meant is read when told alone. */
export function fallbackOption(): Option {
  return new Option("--fallback", "where the newest checkpoint is damaged, read the one before");
}

/** `--quiet`: for scripts that read nothing of it. */
export function quietOption(): Option {
  return new Option(
    "-q, --quiet",
    "print warnings, errors and verdicts alone, and at the end where the run lies",
  );
}

/** `--no-tensorboard`: the run directory gets an event file otherwise. */
export function tensorboardOption(): Option {
  return new Option("--no-tensorboard", "write no events.out.tfevents file for TensorBoard");
}
