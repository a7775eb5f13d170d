import type { Model } from "../models/index.ts";
import { TrainingError } from "./errors.ts";
import type { CommonOptions } from "./options.ts";
import type { ParameterGroup } from "./update-units.ts";

type GroupOptions = Pick<
  CommonOptions,
  "freeze" | "learningRates" | "weightDecays" | "layerwiseLearningRateDecay"
>;

/**
 * How each parameter of a model is trained.
 *
 * @throws TrainingError when a pattern fits no parameter, which would be a silent mistake.
 */
export function parameterGroups(model: Model, options: GroupOptions): (name: string) => ParameterGroup {
  const { freeze, learningRates, weightDecays, layerwiseLearningRateDecay: decay } = options;
  const names = model.parameters().map(({ name }) => name);
  const matcher = parameterMatcher(model);
  const byName = (values: Readonly<Record<string, number>>, option: string) => {
    const entries = Object.entries(values).map(
      ([pattern, value]) => [matcher(pattern, option), value] as const,
    );
    return (name: string) => entries.findLast(([fits]) => fits(name))?.[1];
  };
  const frozen = freeze.map((pattern) => matcher(pattern, "freeze"));
  const rateOf = byName(learningRates, "learningRates");
  const weightDecayOf = byName(weightDecays, "weightDecays");
  const depths = new Map(names.map((name) => [name, layerOf(name)]));
  const layers = 1 + Math.max(-1, ...[...depths.values()].filter((layer) => layer !== undefined));
  if (decay !== 1 && layers === 0)
    throw new TrainingError(
      "NO_LAYERS",
      "layerwiseLearningRateDecay: the model's parameters have no layers (no number in their names).",
    );
  const firstLayer = names.findIndex((name) => depths.get(name) !== undefined);
  return (name) => {
    const layer = depths.get(name);
    // Before the layers are the embeddings, after them the head.
    const above = layer !== undefined ? layers - layer : names.indexOf(name) < firstLayer ? layers + 1 : 0;
    const weightDecay = weightDecayOf(name);
    return {
      frozen: frozen.some((fits) => fits(name)),
      learningRateScale: (rateOf(name) ?? 1) * decay ** above,
      ...(weightDecay !== undefined && { weightDecay }),
    };
  };
}

/** Tells which parameters of a model a pattern fits; throws a TrainingError naming the option when none does. */
export function parameterMatcher(model: Model) {
  const names = model.parameters().map(({ name }) => name);
  return (pattern: string, option: string): ((name: string) => boolean) => {
    const fits = matching(pattern);
    if (names.some(fits)) return fits;
    throw new TrainingError(
      "NO_SUCH_PARAMETER",
      `${option}: no parameter of the model fits ${JSON.stringify(pattern)}. Its parameters are called ${names.slice(0, 3).join(", ")} … ${names.at(-1)}.`,
    );
  };
}

/** The number in a name as `h.3.attn.c_attn.weight`. */
export function layerOf(name: string): number | undefined {
  const number = /\.(\d+)\./.exec(`.${name}`)?.[1];
  return number === undefined ? undefined : Number(number);
}

function matching(pattern: string): (name: string) => boolean {
  const escaped = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${escaped.join(".*")}$`);
  return (name) => expression.test(name);
}
