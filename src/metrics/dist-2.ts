import { defineMetric } from "./index.ts";
import { distinctNgrams, distinctOptions } from "./text/distinct.ts";

export const dist2 = defineMetric({
  description:
    "Distinct-2: distinct word pairs / all word pairs of the generated texts, from 0 to 1 (no repetition). Li et al. (2016).",
  options: distinctOptions,
  create: (options) => distinctNgrams("dist_2", 2, options),
});
