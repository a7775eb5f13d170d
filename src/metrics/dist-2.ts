import { defineMetric } from "./index.ts";
import { distinctNgrams, distinctOptions } from "./text/distinct.ts";

/**
 * Distinct pairs of words / all pairs of words of everything generated, in [0, 1]: how varied the texts are. References are not looked at. `NaN` over
 * none. The state holds every distinct one: some 50 bytes each. Source: Li et al. (2016), "A Diversity-Promoting Objective
 * Function for Neural Conversation Models".
 */
export const dist2 = defineMetric({
  description:
    "Distinct-2: distinct word pairs / all word pairs of the generated texts, from 0 to 1 (no repetition). Li et al. (2016).",
  options: distinctOptions,
  create: (options) => distinctNgrams("dist_2", 2, options),
});
