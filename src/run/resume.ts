import { stat } from "node:fs/promises";
import { join } from "node:path";
import { hasEventFiles, lastEvent } from "../tracking/index.ts";
import type { RunEvent, WarningEvent } from "../trainers/index.ts";
import type { CheckpointRun } from "./checkpoint-files.ts";
import { buildComponents } from "./components.ts";
import type { RunConfigInput } from "./config.ts";
import { deviceOf } from "./device.ts";
import { requireRunRoom } from "./disk-room.ts";
import { explainImports } from "./loaded-run.ts";
import { displayPath } from "./problems.ts";
import { checkpointToGoOnFrom, setAside } from "./resume-checkpoint.ts";
import { ResumeError, refuseUnlessForced, requireFitting } from "./resume-checks.ts";
import { recordResumption, removeLaterSamples } from "./resume-record.ts";
import { type GoingOn, Run, type RunOptions } from "./run.ts";
import { describeConfig, type ForceName, runChanges } from "./run-changes.ts";
import {
  openRunDirectory,
  type RunDirectory,
  readTokenizerFiles,
  removeTokenizerFiles,
} from "./run-directory.ts";
import { loadRunFile, type RunFile } from "./run-file.ts";
import { lockRunDirectory, type RunLock } from "./run-lock.ts";
import { versionsNow } from "./versions.ts";

export interface ResumeOptions extends RunOptions {
  /** Values to replace, as `--set` does: `["trainer.maxSteps=2000"]`. They are recorded in the run directory. */
  readonly set?: readonly string[];
  /** Objects for the slots that a program filled when it began the run. */
  readonly replace?: Partial<RunConfigInput>;
  /** What is refused else, by name. */
  readonly force?: readonly ForceName[];
  /** Goes on from the checkpoint before, where the newest is damaged. */
  readonly fallback?: boolean;
}

/**
 * Goes on with a run where its newest checkpoint stands; a run that was ended before it saved one begins again. It ends with
 * the same weights, optimizer state and events as if it had never been stopped, unless something was changed.
 *
 * @throws {RunDirectoryError} when the folder is no run or another process holds it, {CheckpointError} when its newest
 * checkpoint is damaged, {ResumeError} when it would be another run.
 *
 * @example
 * const run = await resume("runs/moby-dick-20260131-120000");
 * for await (const event of run) if (event.type === "step") console.log(event.step, event.loss);
 */
export async function resume(path: string, options: ResumeOptions = {}): Promise<Run> {
  const { path: folder } = await openRunDirectory(path);
  const lock = await lockRunDirectory(folder, options.force?.includes("lock"));
  try {
    // Read again: whoever held the lock may have changed it.
    const tensorboard = options.tensorboard ?? hasEventFiles(folder);
    return await prepare(await openRunDirectory(folder), lock, { ...options, tensorboard });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function prepare(directory: RunDirectory, lock: RunLock, options: ResumeOptions): Promise<Run> {
  const { set = [], replace, fallback = false, force = [], registries } = options;
  const chosen = await checkpointToGoOnFrom(directory.path, fallback);
  const runFile = await loadRunFile(directory.runFile, {
    followExtends: false,
    set,
    ...(replace && { replace }),
  });
  if (chosen === undefined) return beginAgain(directory, lock, runFile, options);

  const shown = displayPath(join(directory.path, chosen.path));
  const { saved } = chosen;
  if (saved.run === undefined)
    throw new ResumeError(
      `${shown} does not say what was trained, so that nobody can go on from it; it serves evaluate, generate and \`from\``,
    );
  if (set.length === 0) refuseFinished(directory, saved.step);
  const learned = await readTokenizerFiles(directory);
  const components = await buildComponents(runFile, registries, { learned }).catch(
    explainImports(runFile.config.imports),
  );
  const fingerprint = await components.data.fingerprint();
  const device = deviceOf(runFile);
  const now: Omit<CheckpointRun, "metricsBytes"> = {
    config: describeConfig(runFile.config.seed, components),
    components: components.origins,
    fingerprint,
    versions: versionsNow().versions,
    ...(device && { device: device.label }),
  };
  const changes = runChanges(saved.run, now);
  const forced = refuseUnlessForced(directory.path, changes, components, force);
  const model = await components.createModel(components.tokenizer.vocabSize);
  requireFitting(directory.path, model, saved);
  const disk = await requireRunRoom(directory.path, model, components.trainer);

  const { metricsBytes } = saved.run;
  const notes = [
    ...(lock.note === undefined ? [] : [lock.note]),
    ...(await setAside(directory.path, chosen)),
    ...(await lostRows(directory, metricsBytes)),
  ];
  const manifest = await recordResumption(
    directory,
    runFile,
    { step: saved.step, changes, forced },
    Object.keys(replace ?? {}),
  );
  await removeLaterSamples(directory.path, saved.step);
  const { step, parameters, optimizer, state } = saved;
  const { path } = chosen;
  const freshOptimizer = force.includes("optimizer");
  const goingOn: GoingOn = {
    point: { step, parameters, optimizer, state, path, ...(freshOptimizer && { freshOptimizer }) },
    model,
    fingerprint,
    disk,
    changes,
    notes,
  };
  const problems = components.problems.map((message) => warning("PLUGIN_PROBLEM", message));
  return new Run({
    seed: runFile.config.seed,
    device,
    components,
    directory: { ...directory, manifest },
    lock,
    options,
    goingOn,
    events: problems,
    metricsBytes,
  });
}

/** A run that died before its first checkpoint: nothing of it is worth keeping but its directory. */
async function beginAgain(
  directory: RunDirectory,
  lock: RunLock,
  runFile: RunFile,
  options: ResumeOptions,
): Promise<Run> {
  const components = await buildComponents(runFile, options.registries, { followImports: false }).catch(
    explainImports(runFile.config.imports),
  );
  const manifest = await recordResumption(
    directory,
    runFile,
    { step: 0 },
    Object.keys(options.replace ?? {}),
  );
  await removeTokenizerFiles(directory);
  await removeLaterSamples(directory.path, 0);
  const notes = [lock.note, "the run was ended before it saved a checkpoint, and begins again"];
  const events: RunEvent[] = notes.flatMap((note) =>
    note === undefined ? [] : [warning("BEGINS_AGAIN", note)],
  );
  const { seed } = runFile.config;
  const again = { ...directory, manifest };
  const device = deviceOf(runFile);
  return new Run({ seed, device, components, directory: again, lock, options, events, metricsBytes: 0 });
}

function refuseFinished({ path, metrics }: RunDirectory, step: number): void {
  const last = lastEvent(metrics);
  if (last?.type !== "end" || last.step !== step) return;
  if (last.reason === "interrupted" || last.reason === "stopped") return;
  const advice =
    last.reason === "earlyStopping"
      ? "To train on all the same: --set trainer.earlyStoppingPatience=…"
      : "To train on: --set trainer.maxSteps=…";
  throw new ResumeError(
    `${displayPath(path)} is finished: it ended at step ${step} (${last.reason}). ${advice}`,
  );
}

/** Rows of the metrics that a crash of the machine took are no reason to lose what was trained. */
async function lostRows({ metrics }: RunDirectory, metricsBytes: number): Promise<readonly string[]> {
  const size = (await stat(metrics).catch(() => undefined))?.size ?? 0;
  if (size >= metricsBytes) return [];
  return [
    `${displayPath(metrics)} has ${size} bytes, and had ${metricsBytes} when the checkpoint was saved: its last rows are lost`,
  ];
}

function warning(code: string, message: string): WarningEvent {
  return { type: "warning", code, message };
}
