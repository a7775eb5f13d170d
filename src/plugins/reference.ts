import { describeOrigin, type Registry, type RegistryEntry } from "../registry/index.ts";
import type { Registries } from "../run/registries.ts";
import { type OptionRow, optionCells, optionRows } from "./option-rows.ts";

/** What a page of the reference says of one component. */
interface ReferenceEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string | undefined;
  readonly origin: string;
  /** Undefined when the component does not describe its options. */
  readonly options: readonly OptionRow[] | undefined;
}

/** What a page says of its kind. */
interface ReferenceKind {
  readonly title: string;
  /** As `plugins list --kind` has it. */
  readonly kind: string;
  /** The contract in a sentence or two. */
  readonly contract: string;
  /** Name of the interface. */
  readonly type: string;
  /** Function that builds one by its name. */
  readonly get: string;
  /** A line of a run file. */
  readonly example: string;
}

const kinds: Readonly<Record<keyof Registries, Omit<ReferenceKind, "kind">>> = {
  tokenizers: {
    title: "Tokenizers",
    contract:
      "Text to token ids and back: `encode(text)`, `decode(ids)`, `vocabSize`. One that learns from the corpus has `train`, `save` and `load`, too.",
    type: "Tokenizer",
    get: "getTokenizer",
    example: "tokenizer: { name: bpe, vocabSize: 2048 }",
  },
  models: {
    title: "Models",
    contract:
      "Named `parameters()`, and `forward(inputs, context)`, written with symbolic tensors: token ids (B, T) in; out come logits, (B, T, V) of a language model, (B, L) of a classifier. A run adds `vocabSize`, the tokenizer's, to the options where the run file gives none, and for classifiers `labels`.",
    type: "Model",
    get: "getModel",
    example: "model: { name: gpt2, numHiddenLayers: 4, numAttentionHeads: 4, hiddenSize: 128 }",
  },
  metrics: {
    title: "Metrics",
    contract:
      "A function of the predicted and the expected ids of a split, or an object that sees the split one sequence at a time: `reads`, `update`, `compute`, `reset`, `state`, `merge`.",
    type: "Metric",
    get: "getMetric",
    example: "metrics: [perplexity, bits_per_byte]",
  },
  dataLoaders: {
    title: "Data loaders",
    contract:
      "Where examples come from: `splits`, `examples(split, request)`, `texts(split)` for tokenizers that learn, a `fingerprint()` of the data, and the names of its classes, `labels()`, where it has some. The same request gives the same examples, always.",
    type: "DataLoader",
    get: "getDataLoader",
    example: "data: { name: text, path: moby-dick.txt, validation: 0.1 }",
  },
  trainers: {
    title: "Trainers",
    contract:
      "`train(context)` is given the other four components and yields events: steps, evaluations, checkpoints, and at last an end.",
    type: "Trainer",
    get: "getTrainer",
    example: "trainer: { name: causal_lm, maxSteps: 800, learningRate: 3.0e-3 }",
  },
};

/**
 * The pages of the reference, one a kind, by file name (`data-loaders.md`). Imports every component.
 *
 * @throws {RegistryError} a component cannot be imported.
 */
export async function referencePages(registries: Registries): Promise<ReadonlyMap<string, string>> {
  const pages = await Promise.all(
    Object.entries(kinds).map(async ([key, about]) => {
      const registry: Registry<unknown> = registries[key as keyof Registries];
      const { kind } = registry.kind;
      const entries = await Promise.all(registry.entries().map((entry) => referenceEntry(registry, entry)));
      return [`${kind.replaceAll("_", "-")}.md`, referencePage({ ...about, kind }, entries)] as const;
    }),
  );
  return new Map(pages);
}

async function referenceEntry(
  registry: Registry<unknown>,
  { name, qualifiedName, aliases, description, origin }: RegistryEntry,
): Promise<ReferenceEntry> {
  // What the program registered has no qualified name; what a package declares is found by it, even when shadowed.
  const factory = await registry.get(qualifiedName ?? name);
  // Without the version, which would make the pages change with every release.
  const from = describeOrigin({ ...origin, version: undefined });
  return { name, aliases, description, origin: from, options: optionRows(factory) };
}

/** One page as Markdown. */
function referencePage(
  { title, kind, contract, type, get, example }: ReferenceKind,
  entries: readonly ReferenceEntry[],
): string {
  const list = entries.map(({ name, aliases, description = "" }) => [
    `[${code(name)}](#${anchor(name)})`,
    aliases.map(code).join(", "),
    prose(description),
  ]);
  return `<!-- Generated from the registry by \`npm run docs\`. Do not edit. -->
# ${title}

${contract} The interface with all its rules is \`${type}\`, exported from \`codex-ml/registry\`.

In a run file, and in a program:

\`\`\`yaml
${example}
\`\`\`

\`\`\`ts
import { ${get} } from "codex-ml/registry";
await ${get}(name, options);
\`\`\`

The built-ins are below. [Packages bring more](../use-plugins.md): \`npx codex-ml plugins list --kind ${kind}\` shows all that a
project has.

${table(["name", "aliases", "what it is"], list)}
${entries.map(section).join("\n")}`;
}

function section({ name, aliases, description, origin, options }: ReferenceEntry): string {
  const facts = [
    ...(description === undefined ? [] : [prose(description)]),
    [
      `Origin: ${prose(origin)}.`,
      ...(aliases.length === 0 ? [] : [`Aliases: ${aliases.map(code).join(", ")}.`]),
    ].join(" "),
  ];
  return `## ${code(name)}\n\n${facts.join("\n\n")}\n\n${optionsTable(options)}`;
}

function optionsTable(options: readonly OptionRow[] | undefined): string {
  if (options === undefined) return "It does not describe its options.\n";
  if (options.length === 0) return "It takes no options.\n";
  const rows = options.map((option) => {
    const { type, limits, fallback, meaning } = optionCells(option);
    return [
      code(option.name),
      `${code(type)}${limits === "" ? "" : ` ${prose(limits)}`}`,
      "default" in option ? code(fallback) : fallback,
      prose(meaning),
    ];
  });
  return table(["option", "type", "default", "what it does"], rows);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll(/ {2,}(?=\|)/g, " ");
  return [line(heads), `|${heads.map(() => "---|").join("")}`, ...rows.map(line), ""].join("\n");
}

/** A code span, fenced by more backticks than the text has in a row. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

/** Text of one line that Markdown shows as it is; code spans in it stay such. */
function prose(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .split(/(`[^`]*`)/)
    .map((piece, index) => (index % 2 === 1 ? piece : piece.replaceAll(/[\\<*_[\]]/g, "\\$&")))
    .join("");
}

/** Where a heading can be linked to, as GitHub makes it. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}
