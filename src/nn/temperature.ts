import { TensorError } from "../tensor/index.ts";

/** A temperature that logits can be divided by. */
export function checkedTemperature(loss: string, temperature: number): number {
  if (temperature > 0 && Number.isFinite(temperature)) return temperature;
  throw new TensorError("BAD_TEMPERATURE", `${loss}: the temperature must be above 0; got ${temperature}.`);
}
