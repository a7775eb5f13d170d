import type { Task } from "../models/index.ts";
import { IGNORE_INDEX } from "../nn/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { Row } from "../trainers/objective.ts";

/** One token of a row. */
export interface Piece {
  readonly id: number;
  /** What it stands for; empty for the second and later tokens of one character. */
  readonly text: string;
  /** Whether the model's guess at it is in the loss. Absent where tokens are not guessed: in classifiers. */
  readonly counts?: boolean;
  /** What is to be guessed, where that is not the token itself. */
  readonly label?: string;
  /** What begins with it, where that is not the row. */
  readonly begins?: "document" | "pair";
}

/**
 * The tokens of a row, one by one. Those of a causal language model are moved back under the labels that ask for them, so
 * the last label is a token more than the model reads.
 */
export function rowPieces(row: Row, task: Task, tokenizer: Tokenizer): Piece[] {
  const inputs = Array.from(row.inputIds);
  const labels = Array.from(row.labels);
  const isCausal = task === "causal_lm";
  const last = labels.at(-1) ?? IGNORE_INDEX;
  const ids = isCausal && last !== IGNORE_INDEX ? [...inputs, last] : inputs;
  const targets = isCausal ? [IGNORE_INDEX, ...labels] : labels;
  const name = namesOf(tokenizer);
  const texts = textsOf(ids, tokenizer, name);
  return ids.map((id, at): Piece => {
    const target = targets[at] ?? IGNORE_INDEX;
    const counts = target !== IGNORE_INDEX;
    const begins = at > 0 && at < inputs.length ? beginning(row, at) : undefined;
    return {
      id,
      text: texts[at] ?? "",
      ...(task !== "sequence_classification" && { counts }),
      ...(task !== "sequence_classification" &&
        counts &&
        (target !== id || task === "masked_lm") && { label: name(target) ?? tokenizer.decode([target]) }),
      ...(begins && { begins }),
    };
  });
}

function beginning({ documentIds, tokenTypeIds }: Row, at: number): Piece["begins"] {
  if (documentIds !== undefined && documentIds[at] !== documentIds[at - 1]) return "document";
  return tokenTypeIds !== undefined && tokenTypeIds[at] !== tokenTypeIds[at - 1] ? "pair" : undefined;
}

function namesOf(tokenizer: Tokenizer): (id: number) => string | undefined {
  const names = new Map(Object.entries(tokenizer.specialTokens ?? {}).map(([name, id]) => [id, name]));
  return (id) => names.get(id);
}

/** Most tokens of one character: its bytes in UTF-8. */
const LONGEST = 4;

function textsOf(
  ids: readonly number[],
  tokenizer: Tokenizer,
  name: (id: number) => string | undefined,
): string[] {
  const texts: string[] = [];
  while (texts.length < ids.length) {
    const at = texts.length;
    const id = ids[at] ?? 0;
    const alone = name(id) ?? tokenizer.decode([id]);
    const [length, text] = alone.includes("�") ? wholeCharacter(ids.slice(at, at + LONGEST)) : [1, alone];
    texts.push(text ?? alone, ...new Array<string>(length - 1).fill(""));
  }
  return texts;

  /** The fewest tokens that are text together; one where none are. */
  function wholeCharacter(next: readonly number[]): readonly [length: number, text: string | undefined] {
    for (let length = 2; length <= next.length; length++) {
      const some = next.slice(0, length);
      if (some.some((id) => name(id) !== undefined)) break;
      const text = tokenizer.decode(some);
      if (!text.includes("�")) return [length, text];
    }
    return [1, undefined];
  }
}

/**
 * The id of what a tokenizer cannot say, from the `tokenizer.json` that it saves; undefined when there is none: those of bytes
 * can say everything.
 */
export function unknownTokenId(tokenizer: Tokenizer): number | undefined {
  const file = tokenizer.save?.()["tokenizer.json"];
  if (file === undefined) return undefined;
  const { model } = parsed(file);
  if (model === undefined || model === null) return undefined;
  const { unk_token: unknown, unk_id: id, vocab } = model;
  if (typeof id === "number") return id;
  if (typeof unknown !== "string" || typeof vocab !== "object" || vocab === null) return undefined;
  const found = Object.hasOwn(vocab, unknown) ? (vocab as Record<string, unknown>)[unknown] : undefined;
  return typeof found === "number" ? found : tokenizer.specialTokens?.[unknown];
}

/** A plugin may save something else under this name. */
function parsed(file: string): { readonly model?: Readonly<Record<string, unknown>> | null } {
  try {
    const value: unknown = JSON.parse(file);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
