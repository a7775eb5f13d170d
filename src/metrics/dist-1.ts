import { defineMetric } from "./index.ts";
import { distinctNgrams, distinctOptions } from "./text/distinct.ts";

export const dist1 = defineMetric({
  description:
    "Distinct-1: distinct words / all words of the generated texts, from 0 to 1 (no repetition). Li et al. (2016).",
  options: distinctOptions,
  create: (options) => distinctNgrams("dist_1", 1, options),
});
