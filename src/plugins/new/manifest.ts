import { ownManifest } from "./own.ts";
import type { PluginPlan } from "./request.ts";

/** What the templates do, as `plugins list` shows it: the `description` of their definitions. */
const descriptions: Readonly<Record<string, string>> = {
  tokenizer: "The most frequent words, each an id; all other text as bytes.",
  "data-loader": "The lines of a text file, each an example; every tenth is held out.",
  model: "A small transformer with one attention head a block.",
  trainer: "Next-token prediction with stochastic gradient descent and momentum.",
  metric: "Share of tokens predicted right, without the first few of each sequence.",
};

/** The `package.json` of a new package. Versions are those that this version of Codex ML is built and tested with. */
export function pluginManifest({ kind, name, package: packageName }: PluginPlan): object {
  const { version, engines, dependencies, devDependencies } = ownManifest();
  const description = descriptions[kind.word] ?? "";
  const range = `^${version}`;
  return {
    name: packageName,
    version: "0.1.0",
    description: `A ${kind.noun} for Codex ML. ${description}`,
    keywords: ["codex-ml-plugin"],
    license: "MIT",
    type: "module",
    engines: { node: engines.node },
    exports: {
      ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
      "./package.json": "./package.json",
    },
    files: ["dist", "!dist/*.test.*"],
    scripts: {
      build: "tsc",
      test: "tsc && node --test dist/index.test.js",
      prepare: "tsc",
    },
    dependencies: { zod: dependencies.zod },
    peerDependencies: { "codex-ml": range },
    devDependencies: {
      "@types/node": devDependencies["@types/node"],
      "codex-ml": range,
      typescript: devDependencies.typescript,
    },
    codexMl: { [kind.group]: { [name]: { target: ".#build", description } } },
  };
}
