import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/faces/index.ts",
    registry: "src/faces/registry.ts",
    testing: "src/faces/testing.ts",
    // Not a face: the second process of the checks that compare two.
    "testing-process": "src/testing/process.ts",
    cli: "src/cli/main.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20",
  dts: true,
  clean: true,
  sourcemap: false,
});
