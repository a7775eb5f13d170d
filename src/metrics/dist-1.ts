import { defineMetric } from "./index.ts";
import { distinctNgrams, distinctOptions } from "./text/distinct.ts";

/**
 * Distinct words / all words of everything generated, in [0, 1]: how varied the texts are. References are not looked at. `NaN` over
 * none. The state holds every distinct one: some 50 bytes each. Source: Li et al. (2016), "A Diversity-Promoting Objective
 * Function for Neural Conversation Models".
 */
export const dist1 = defineMetric({
  description:
    "Distinct-1: distinct words / all words of the generated texts, from 0 to 1 (no repetition). Li et al. (2016).",
  options: distinctOptions,
  create: (options) => distinctNgrams("dist_1", 1, options),
});
