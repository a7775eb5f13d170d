import { type Device, RuntimeError, selectDevice } from "../runtime/index.ts";
import { RunFileError } from "./problems.ts";
import type { RunFile } from "./run-file.ts";

/**
 * What a run computes on; undefined is the CPU.
 *
 * @throws {RunFileError} at the file's `device` when that cannot be had, with what to install.
 */
export function deviceOf(runFile: RunFile): Device | undefined {
  try {
    return selectDevice(runFile.config.device);
  } catch (cause) {
    if (!(cause instanceof RuntimeError)) throw cause;
    throw new RunFileError([runFile.problem(["device"], cause.message, { cause })]);
  }
}
