import type { Line, Section } from "./plan.ts";

export const formats = ["yaml", "json", "ts"] as const;
export type RunFormat = (typeof formats)[number];

/** What the head of a run file says. */
export interface Head {
  /** One sentence. */
  readonly about: string;
  /** The file itself, as commands are given it. */
  readonly file: string;
  /** The schema beside it, relative to it. */
  readonly schema: string;
}

/** A run file's text. JSON has no comments; its schema says as much in an editor. */
export function runText(format: RunFormat, sections: readonly Section[], head: Head): string {
  switch (format) {
    case "yaml":
      return yamlText(sections, head);
    case "json":
      return jsonText(sections, head);
    case "ts":
      return scriptText(sections, head);
  }
}

const steps = (file: string) => [
  `npx codex-ml config check ${file}    whether anything is wrong with it`,
  `npx codex-ml data inspect ${file}    what the model would see`,
  `npx codex-ml train ${file}`,
];

function isLines(value: Section["value"]): value is readonly Line[] {
  return (
    Array.isArray(value) &&
    value.every((entry) => typeof entry === "object" && entry !== null && "key" in entry)
  );
}

function yamlText(sections: readonly Section[], { about, file, schema }: Head): string {
  const head = [
    `yaml-language-server: $schema=${schema}`,
    about,
    "",
    ...steps(file).map((step) => `  ${step}`),
  ];
  const comments = head.map((line) => (line === "" ? "#" : `# ${line}`));
  return `${[comments.join("\n"), ...sections.map(yamlSection)].join("\n\n")}\n`;
}

function yamlSection({ key, comment, value }: Section): string {
  if (!isLines(value)) return `# ${comment}\n${key}: ${yamlValue(value)}`;
  return [
    `# ${comment}`,
    `${key}:`,
    ...aligned(
      value.map((line) => [`  ${line.key}: ${yamlValue(line.value)}`, line]),
      "#",
    ),
  ].join("\n");
}

/** Flow style, which is JSON but for the quotes of what YAML reads as text without them. */
function yamlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, entry]) => `${yamlValue(key)}: ${yamlValue(entry)}`)
      .join(", ")} }`;
  if (typeof value !== "string") return JSON.stringify(value);
  const isPlain = /^[A-Za-z_][\w./-]*$/.test(value) && !/^(true|false|null)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}

function jsonText(sections: readonly Section[], { schema }: Head): string {
  const entries = sections.map(({ key, value }) => [
    key,
    isLines(value) ? Object.fromEntries(value.map((line) => [line.key, line.value])) : value,
  ]);
  return `${JSON.stringify({ $schema: schema, ...Object.fromEntries(entries) }, undefined, 2)}\n`;
}

function scriptText(sections: readonly Section[], { about, file }: Head): string {
  const comments = [about, "", ...steps(file).map((step) => `  ${step}`)].map((line) =>
    line === "" ? " *" : ` * ${line}`,
  );
  const body = sections.flatMap(({ key, comment, value }) => {
    if (!isLines(value)) return [`  // ${comment}`, `  ${key}: ${scriptValue(value)},`];
    const lines = aligned(
      value.map((line) => [`    ${line.key}: ${scriptValue(line.value)},`, line]),
      "//",
    );
    return [`  // ${comment}`, `  ${key}: {`, ...lines, "  },"];
  });
  return `import { defineRun } from "codex-ml";\n\n/**\n${comments.join("\n")}\n */\nexport default defineRun({\n${body.join("\n")}\n});\n`;
}

function scriptValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(scriptValue).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([key, entry]) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)}: ${scriptValue(entry)}`,
  );
  return `{ ${fields.join(", ")} }`;
}

/** Lines with their comments in a column. */
function aligned(lines: readonly (readonly [string, Line])[], mark: string): string[] {
  const width = Math.max(...lines.map(([text]) => text.length));
  return lines.map(([text, { comment }]) =>
    comment === undefined ? text : `${text.padEnd(width)} ${mark} ${comment}`,
  );
}
