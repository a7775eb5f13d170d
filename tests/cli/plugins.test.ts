/** Components from packages and from the project itself: listed, trained with, and told apart when they fail. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataLoaders } from "../../src/data-loaders/index.ts";
import { metrics } from "../../src/metrics/index.ts";
import { models } from "../../src/models/index.ts";
import { tokenizers } from "../../src/tokenizers/index.ts";
import { trainers } from "../../src/trainers/index.ts";
import { ofType, Project, parseEvents, removeProjects, repository } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

const builtins = Object.fromEntries(
  [tokenizers, dataLoaders, models, trainers, metrics].map(({ kind, builtins }) => [
    kind,
    Object.keys(builtins).sort(),
  ]),
);

/** Models that cannot be trained, a trainer that does nothing, a metric that throws. */
const ownComponents = `
  import { Embedding, Linear, Module, Parameter, broadcastTo, defineModel, normal, reshape } from "codex-ml";

  class Small extends Module {
    task = "causal_lm";
    maxPositionEmbeddings = 16;
    constructor({ vocabSize }) {
      super();
      this.vocabSize = vocabSize;
      this.config = { model_type: "small", vocab_size: vocabSize };
    }
  }

  class Unused extends Small {
    constructor(options) {
      super(options);
      this.embedding = new Embedding(options.vocabSize, 8, normal(1));
      this.head = new Linear(8, options.vocabSize);
      this.forgotten = new Parameter([8], normal(1));
    }
    forward({ inputIds }) {
      return { logits: this.head.forward(this.embedding.forward(inputIds)) };
    }
  }
  export const unused = (options) => new Unused(options);

  class Blind extends Small {
    constructor(options) {
      super(options);
      this.guess = new Parameter([options.vocabSize], normal(1));
    }
    forward({ inputIds }) {
      const [batch, length] = inputIds.shape;
      return { logits: broadcastTo(reshape(this.guess, [1, 1, this.vocabSize]), [batch, length, this.vocabSize]) };
    }
  }
  export const blind = (options) => new Blind(options);

  export const idle = () => ({ async *train() {} });
  export const endless = () => ({
    async *train() {
      yield { type: "end", step: 0, reason: "maxSteps" };
    },
  });
  export const thrower = () => () => {
    throw new Error("division by cucumber");
  };
  export const broken = () => {
    throw new Error("no cucumbers left");
  };
  export const shapeless = () => ({ encode: () => [] });
`;

const ownManifest = {
  name: "own-project",
  version: "3.2.1",
  type: "module",
  dependencies: { "my-extension": "^1.0.0", rival: "*", torn: "*", "codex-ml": "*" },
  codexMl: {
    "codex_ml.models": { unused: "./components.js#unused", blind: "./components.js#blind" },
    "codex_ml.trainers": { idle: "./components.js#idle", stepless: "./components.js#endless" },
    "codex_ml.metrics": { thrower: "./components.js#thrower" },
    "codex_ml.tokenizers": { broken: "./components.js#broken", shapeless: "./components.js#shapeless" },
  },
};

/** A package as docs/plugins/write-a-plugin.md has it, one that claims the same name, and one that cannot be imported. */
const packages = {
  "node_modules/my-extension/package.json": JSON.stringify({
    name: "my-extension",
    version: "1.2.0",
    type: "module",
    keywords: ["codex-ml-plugin"],
    exports: { "./metric": "./metric.js", "./package.json": "./package.json" },
    peerDependencies: { "codex-ml": "^0.1.0" },
    codexMl: { "codex_ml.metrics": { my_metric: "./metric#build", contested: "./metric#build" } },
  }),
  "node_modules/my-extension/metric.js": `export const build = () => ({ predictions, references }) =>
    predictions.flatMap((row, at) => [...row].filter((id, place) => id === references[at][place])).length;`,
  "node_modules/rival/package.json": JSON.stringify({
    name: "rival",
    version: "2.0.0",
    type: "module",
    exports: { ".": "./index.js" },
    codexMl: { "codex_ml.metrics": { contested: ".#build", perplexity: ".#build" } },
  }),
  "node_modules/rival/index.js": "export const build = () => () => -1;",
  "node_modules/torn/package.json": JSON.stringify({
    name: "torn",
    version: "0.0.1",
    type: "module",
    exports: { ".": "./index.js" },
    codexMl: { "codex_ml.metrics": { torn_metric: ".#build" } },
  }),
  "node_modules/torn/index.js": 'throw new Error("torn to pieces");',
};

let project: Project;
beforeAll(async () => {
  project = await Project.create({
    "corpus.txt": corpus,
    "tale.yaml": tinyYaml,
    "package.json": JSON.stringify(ownManifest),
    "components.js": ownComponents,
    ...packages,
  });
  await project.linkCodexMl();
});
afterAll(removeProjects);

interface Listing {
  readonly components: readonly {
    readonly kind: string;
    readonly name: string;
    readonly origin: Readonly<Record<string, unknown>>;
  }[];
  readonly problems: readonly { readonly message: string }[];
}

describe.concurrent("plugins list", () => {
  const off = { CODEX_ML_PLUGINS: "off" };

  test("shows every built-in under its kind, with its origin", async () => {
    const { code, stdout, stderr } = await project.run(["plugins", "list"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const [kind, names] of Object.entries(builtins)) {
      const section = stdout.split("\n\n").find((text) => text.startsWith(kind)) ?? "";
      for (const name of names)
        expect(section).toMatch(new RegExp(`^ +${name}\\b.* codex-ml@0\\.1\\.0`, "m"));
    }
  });

  test("shows the components of direct dependencies and of the project, with package and version", async () => {
    const { stdout } = await project.run(["plugins", "list"]);
    expect(stdout).toMatch(/^ +my_metric .*my-extension@1\.2\.0/m);
    expect(stdout).toMatch(/^ +unused .*own-project@3\.2\.1/m);
  });

  test("marks what a built-in shadows", async () => {
    const { stdout } = await project.run(["plugins", "list"]);
    expect(stdout).toMatch(/^ +(rival\/)?perplexity .*rival@2\.0\.0.*shadowed/m);
  });

  test("--json has the same components", async () => {
    const { stdout } = await project.run(["plugins", "list", "--json"]);
    const { components } = JSON.parse(stdout) as Listing;
    for (const [kind, names] of Object.entries(builtins))
      for (const name of names)
        expect(components).toContainEqual(
          expect.objectContaining({
            kind,
            name,
            origin: expect.objectContaining({ kind: "builtin", package: "codex-ml", version: "0.1.0" }),
          }),
        );
    expect(components).toContainEqual(
      expect.objectContaining({
        kind: "metrics",
        name: "my_metric",
        origin: expect.objectContaining({ package: "my-extension", version: "1.2.0", status: "declared" }),
      }),
    );
  });

  test.each(Object.entries(builtins))("--kind %s lists that kind alone", async (kind, names) => {
    const { stdout } = await project.run(["plugins", "list", "--kind", kind, "--json"], { env: off });
    const { components } = JSON.parse(stdout) as Listing;
    expect(components.map((component) => component.kind)).toEqual(names.map(() => kind));
    expect(components.map(({ name }) => name).sort()).toEqual(names);
  });

  test("CODEX_ML_PLUGINS=off leaves the built-ins", async () => {
    const { stdout } = await project.run(["plugins", "list", "--json"], { env: off });
    const { components } = JSON.parse(stdout) as Listing;
    expect(components.map(({ name }) => name).sort()).toEqual(Object.values(builtins).flat().sort());
  });

  test("imports no component, neither a built-in nor one of a package", async () => {
    const logger = fileURLToPath(new URL("../registry/fixtures/log-imports.mjs", import.meta.url));
    const log = project.path("imports.log");
    const { code, stderr } = await project.run(["plugins", "list"], {
      node: ["--import", logger],
      env: { LOG_IMPORTS_TO: log },
    });
    expect(code, stderr).toBe(0);
    const loaded = readFileSync(log, "utf8").split("\n");
    expect(loaded.filter((url) => url.endsWith("/dist/cli.mjs"))).toHaveLength(1);
    expect(loaded.filter((url) => url.startsWith(`file://${project.directory}`))).toEqual([]);
    const chunks = loaded.map((url) => url.replace(/^.*\/dist\/|(-[\w-]{8})?\.mjs$/g, ""));
    expect(chunks.filter((chunk) => builtinFiles.includes(chunk))).toEqual([]);
  });

  test("a manifest that is broken is a listed problem; the rest is listed", async () => {
    const half = await Project.create({
      "package.json": JSON.stringify({ name: "half", dependencies: { "my-extension": "*", ripped: "*" } }),
      "node_modules/ripped/package.json": '{ "name": "ripped",',
      ...packages,
    });
    const { code, stdout } = await half.run(["plugins", "list"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +my_metric /m);
    expect(stdout).toMatch(/^problems\n.*ripped/m);
  });
});

/** Files of the built-ins, as the contracts import them: `bpe` for `import("./bpe.ts")`. */
const builtinFiles = ["tokenizers", "models", "metrics", "data-loaders", "trainers"].flatMap((room) =>
  [
    ...readFileSync(join(repository, "src", room, "index.ts"), "utf8").matchAll(
      /import\("\.\/([^"]+)\.ts"\)/g,
    ),
  ].map(([, name]) => name ?? ""),
);

describe.concurrent("training with components of packages", () => {
  let runs = 0;

  /** Trains the tiny run with settings; gives the run directory and how it went. */
  async function train(settings: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const run = `out/${runs++}`;
    const args = settings.flatMap((setting) => ["--set", setting]);
    const result = await project.run(["train", "tale.yaml", "--json", "--out", run, ...args], { env });
    return { run, ...result };
  }

  test("a metric of a package is computed, and start and manifest name the package", async () => {
    const { run, code, stdout, stderr } = await train(["metrics=[my_metric, token_accuracy]"]);
    expect(code, stderr).toBe(0);
    const events = parseEvents(stdout);
    for (const { metrics, tokens } of ofType(events, "evaluation"))
      expect(metrics.my_metric).toBeCloseTo(Number(metrics.token_accuracy) * tokens, 6);
    const origin = { kind: "metric", name: "my_metric", origin: "my-extension@1.2.0" };
    expect(ofType(events, "start")[0]?.components).toContainEqual(origin);
    expect(JSON.parse(await project.text(run, "manifest.json")).components).toContainEqual(origin);
  });

  test("a run with a package's metric is evaluated with it", async () => {
    const { run, stdout } = await train(["metrics=[my_metric]", "trainer.maxSteps=2"]);
    const result = await project.run(["evaluate", run, "--json"]);
    expect(result.code, result.stderr).toBe(0);
    expect(ofType(parseEvents(result.stdout), "evaluation")[0]?.metrics).toEqual(
      ofType(parseEvents(stdout), "evaluation").at(-1)?.metrics,
    );
  });

  test("with CODEX_ML_PLUGINS=off its name is unknown", async () => {
    const { code, stderr } = await train(["metrics=[my_metric]"], { CODEX_ML_PLUGINS: "off" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/my_metric/);
  });

  test("with `plugins: false` in the run file its name is unknown", async () => {
    const { code, stderr } = await train(["metrics=[my_metric]", "plugins=false"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/my_metric/);
  });

  test("a name that two packages claim is refused, with both and the pin that settles it", async () => {
    const { code, stderr } = await train(["metrics=[contested]"]);
    expect(code).toBe(2);
    for (const part of ["my-extension@1.2.0", "rival@2.0.0", "metrics/contested"])
      expect(stderr).toContain(part);
  });

  test("a pin in the run file settles it, in training and in evaluation", async () => {
    const pins = 'plugins={ pins: { "metrics/contested": rival } }';
    const { run, code, stdout, stderr } = await train(["metrics=[contested]", pins, "trainer.maxSteps=1"]);
    expect(code, stderr).toBe(0);
    expect(ofType(parseEvents(stdout), "evaluation")[0]?.metrics).toEqual({ contested: -1 });
    const result = await project.run(["evaluate", run, "--json"]);
    expect(result.code, result.stderr).toBe(0);
    expect(ofType(parseEvents(result.stdout), "evaluation")[0]?.metrics).toEqual({ contested: -1 });
  });

  test("a built-in's name means the built-in; package/name means the package's", async () => {
    const { code, stdout, stderr } = await train([
      "metrics=[perplexity, rival/perplexity]",
      "trainer.maxSteps=1",
    ]);
    expect(code, stderr).toBe(0);
    const [evaluation] = ofType(parseEvents(stdout), "evaluation");
    expect(evaluation?.metrics).toEqual({
      perplexity: expect.closeTo(Math.exp(evaluation?.loss ?? 0), 3),
      "rival/perplexity": -1,
    });
  });

  test.each([
    ["cannot be imported", "metrics=[torn_metric]", ["torn_metric", "torn@0.0.1", "torn to pieces"]],
    ["throws when it is built", "tokenizer=broken", ["broken", "own-project@3.2.1", "no cucumbers left"]],
    ["breaks its contract", "tokenizer=shapeless", ["shapeless", "own-project@3.2.1", "decode"]],
  ])(
    "a component that %s is named, with its package and the reason, and nothing is created",
    async (...given) => {
      const [, setting, parts] = given;
      const { run, code, stderr } = await train([setting]);
      expect(code).not.toBe(0);
      for (const part of parts) expect(stderr).toContain(part);
      expect(await project.files()).not.toContain(run);
    },
  );

  /** Trains what must fail on the way; gives the error that run directory, stdout and stderr share. */
  async function failed(...settings: string[]): Promise<string> {
    const { run, code, stdout, stderr } = await train(settings);
    expect(code, stderr).toBe(1);
    expect(await project.text(run, "metrics.ndjson")).toBe(stdout);
    const last = parseEvents(stdout).at(-1);
    if (last?.type !== "error") throw new Error(`the last event is ${JSON.stringify(last)}`);
    for (const line of last.message.split("\n")) expect(stderr).toContain(line.trim());
    expect(ofType(parseEvents(stdout), "end")).toEqual([]);
    const isSaved = (await project.files(run)).join("\n").includes("safetensors");
    expect(isSaved).toBe(ofType(parseEvents(stdout), "step").length > 0);
    return last.message;
  }

  test("a parameter that receives no gradient ends the run with an error that names it", async () => {
    expect(await failed("model={ name: unused }")).toMatch(/"forgotten"/);
  });

  test("a model that ignores its input ends the run with an error that says so", async () => {
    expect(await failed("model={ name: blind }")).toMatch(/input/);
  });

  test("a trainer that yields nothing ends the run with an error that says that nothing was trained", async () => {
    expect(await failed("trainer={ name: idle }")).toMatch(/nothing was trained/);
  });

  test("a trainer that ends without a step ends the run with an error that says the same", async () => {
    expect(await failed("trainer={ name: stepless }")).toMatch(/nothing was trained/);
  });

  test("a metric that throws ends the run with an error that names it, its package and the reason", async () => {
    const message = await failed("metrics=[thrower]");
    expect(message).toMatch(/division by cucumber/);
    expect(message).toMatch(/thrower/);
    expect(message).toMatch(/own-project@3\.2\.1/);
  });

  test("examples/toy.yaml trains with five components of five packages", async () => {
    const args = ["train", "examples/toy.yaml", "--set", "trainer.maxSteps=20", "--json"];
    const { code, stdout, stderr } = await project.run([...args, "--out", project.path("toy")], {
      cwd: repository,
    });
    expect(code, stderr).toBe(0);
    const origins = ofType(parseEvents(stdout), "start")[0]?.components.map(({ origin }) => origin) ?? [];
    for (const part of ["tokenizer", "data-loader", "model", "trainer", "metric"])
      expect(origins).toContain(`codex-ml-toy-${part}@0.1.0`);
  });
});
