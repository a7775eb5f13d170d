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
  // zod is a hundred files, half of them translations of its messages: as one, without those, it saves a quarter of the time
  // that a command needs to say what is wrong with a run file. Its types stay those of the package.
  deps: { alwaysBundle: (id, importer) => id === "zod" && importer?.endsWith(".d.ts") !== true },
  copy: [{ from: "node_modules/zod/LICENSE", to: "dist", rename: "LICENSE-zod" }],
  outputOptions: {
    codeSplitting: {
      // The registries with their contracts as one file: who needs one needs all, and each file costs a start a
      // millisecond. Declarations (`.d.ts`) are modules here too, and must stay out of it.
      groups: [
        {
          name: "registries",
          test: /src[\\/](?:(?:registry|packages)[\\/][\w-]+|(?:tokenizers|models|metrics|data-loaders|trainers)[\\/]index|run[\\/](?:registries|problems|usage-error))\.ts$/,
        },
      ],
    },
  },
});
