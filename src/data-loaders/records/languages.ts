/** Endings of source files by language; names as GitHub Linguist has them, in lower case. */
const endings: Readonly<Record<string, readonly string[]>> = {
  c: ["c", "h"],
  "c++": ["cc", "cpp", "cxx", "hh", "hpp", "hxx"],
  "c#": ["cs"],
  clojure: ["clj", "cljs", "cljc"],
  css: ["css", "scss", "sass", "less"],
  dart: ["dart"],
  elixir: ["ex", "exs"],
  erlang: ["erl", "hrl"],
  "f#": ["fs", "fsi", "fsx"],
  go: ["go"],
  haskell: ["hs"],
  html: ["html", "htm"],
  java: ["java"],
  javascript: ["js", "mjs", "cjs", "jsx"],
  julia: ["jl"],
  kotlin: ["kt", "kts"],
  lua: ["lua"],
  markdown: ["md", "mdx"],
  "objective-c": ["m", "mm"],
  ocaml: ["ml", "mli"],
  perl: ["pl", "pm"],
  php: ["php"],
  python: ["py", "pyi"],
  r: ["r"],
  ruby: ["rb"],
  rust: ["rs"],
  scala: ["scala", "sc"],
  shell: ["sh", "bash", "zsh"],
  sql: ["sql"],
  svelte: ["svelte"],
  swift: ["swift"],
  typescript: ["ts", "mts", "cts", "tsx"],
  vue: ["vue"],
  zig: ["zig"],
};

const byEnding = new Map(
  Object.entries(endings).flatMap(([language, all]) => all.map((ending) => [ending, language] as const)),
);

export const languages = Object.keys(endings) as [string, ...string[]];

/** The language of a file by the ending of its name, or undefined for what is no source file. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? undefined : byEnding.get(name.slice(dot + 1).toLowerCase());
}
