import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from "yaml";
import type { ConfigPath, Position } from "./problems.ts";

/** A mistake in the text itself. */
export interface SyntaxProblem extends Position {
  readonly message: string;
}

/** A parsed text that still knows where each value stands. */
export interface YamlSource {
  /** Plain data: null, booleans, numbers, strings, arrays, objects. Meaningless when there are problems. */
  readonly value: unknown;
  readonly problems: readonly SyntaxProblem[];
  /** Whether the top value is a mapping or list in block style (`a: b`), not in brackets. */
  readonly block: boolean;
  /** Where the value at `path` begins, or its key; where that is not in the text, the nearest thing above it that is. */
  locate(path: ConfigPath, side?: "key" | "value"): Position;
}

/**
 * Parses YAML 1.2, of which JSON is a part, with the core schema: no tags, no anchors, no merge keys, no key twice.
 * What remains means the same to every reader.
 */
export function parseYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: "core",
    version: "1.2",
    merge: false,
    uniqueKeys: true,
    stringKeys: true,
    logLevel: "error",
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const surprises = forbidden(document, at);
  const problems = [...document.errors, ...document.warnings]
    // An unknown tag is among the surprises already.
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED" || surprises.length === 0)
    .map((problem) => ({ ...at(problem.pos[0]), message: explain(problem.code, problem.message) }));
  problems.push(...surprises);
  problems.sort((left, right) => left.line - right.line || left.column - right.column);
  return {
    value: problems.length === 0 ? document.toJS() : undefined,
    problems,
    block: isCollection(document.contents) && document.contents.flow !== true,
    locate: (path, side = "value") => at(locate(document, path, side)),
  };
}

/** The messages of the YAML library that say too little, said in our words. */
function explain(code: string, message: string): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return "this key is given twice; remove one";
    case "MULTIPLE_DOCS":
      return "a second document begins here; a run file is one";
    case "TAB_AS_INDENT":
      return "a tab cannot indent YAML; use spaces";
    case "NON_STRING_KEY":
      return "a key must be text";
    default:
      return message;
  }
}

function forbidden(document: Document, at: (offset: number) => Position): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  const report = (node: Node, message: string): void => {
    problems.push({ ...at(node.range?.[0] ?? 0), message });
  };
  visit(document, {
    Alias: (_, node) =>
      report(node, `aliases (*${node.source}) are not supported in run files; write the value out`),
    Node: (_, node) => {
      if (isAlias(node)) return;
      if (node.anchor !== undefined)
        report(
          node,
          `anchors (&${node.anchor}) are not supported in run files; write the value out where it is used`,
        );
      else if (node.tag !== undefined)
        report(node, `tags (${node.tag}) are not supported in run files; write a plain value`);
    },
  });
  return problems;
}

function locate(document: Document, path: ConfigPath, side: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = start(node) ?? 0;
  for (const [depth, key] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(key),
      );
      if (pair === undefined) return offset;
      node = pair.value;
      // A key without a value has nothing to point at but itself.
      offset = (last && side === "key" ? start(pair.key) : (start(node) ?? start(pair.key))) ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = start(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function start(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
