import type { TrainingEvent } from "./events.ts";
import type { TrainingContext } from "./index.ts";
import type { LoopPlan } from "./training-loop.ts";

/** The training loop. The engine below it is loaded when it begins: whoever only checks a trainer's options needs none. */
export async function* beginLoop(
  context: TrainingContext,
  plan: LoopPlan,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { trainingLoop } = await import("./training-loop.ts");
  yield* trainingLoop(context, plan);
}
