/** A package with a component of somebody's own, which builds, passes its tests and works in a run file at once. */
import { pluginFiles } from "./files.ts";
import { type PluginPlan, type PluginRequest, planPlugin } from "./request.ts";
import { writeFolder } from "./write.ts";

export { completeRequest } from "./prompts.ts";
export type { PluginPlan, PluginRequest } from "./request.ts";

/** A package that was written. */
export interface NewPlugin extends PluginPlan {
  /** Paths in it with `/`, sorted. */
  readonly files: readonly string[];
}

/**
 * Writes the package: all of it or nothing.
 *
 * @throws UsageError or RegistryNameError when it was asked wrongly, PluginWriteError when it could not be written.
 */
export async function createPlugin(request: PluginRequest): Promise<NewPlugin> {
  const plan = planPlugin(request);
  const files = pluginFiles(plan);
  await writeFolder(plan.directory, files);
  return { ...plan, files: [...files.keys()] };
}
