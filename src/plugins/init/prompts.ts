import { isCancel, select, text } from "@clack/prompts";
import { type InitPlan, type InitRequest, planInit } from "./index.ts";
import { type DataLook, dataNearby, lookAtData } from "./look.ts";
import { likelyTask, tasks } from "./plan.ts";

const another = "\0another";

/**
 * Asks for what a request lacks; what is there is not asked for again, and neither is what can only be one way.
 *
 * @returns undefined when whoever was asked pressed Ctrl-C or Escape.
 * @throws {UsageError} when what is there cannot be.
 */
export async function completeInit(
  given: InitRequest,
  cwd: string = process.cwd(),
): Promise<InitPlan | undefined> {
  const data = given.data ?? (await askData(cwd));
  if (data === undefined) return undefined;
  const look = await lookAtData(data, cwd);
  const textColumn = given.text ?? look.text ?? (await askColumn(look, "Which column is the text?"));
  if (look.columns !== undefined && textColumn === undefined) return undefined;
  const task = given.task ?? (await askTask(look));
  if (task === undefined) return undefined;
  const needsLabel = task === "sequence_classification";
  const label =
    given.label ??
    look.label ??
    (needsLabel ? await askColumn(look, "Which column is the class?") : undefined);
  if (needsLabel && look.columns !== undefined && label === undefined) return undefined;
  return planInit({ ...given, data, task, text: textColumn, label }, cwd);
}

async function askData(cwd: string): Promise<string | undefined> {
  const nearby = await dataNearby(cwd);
  if (nearby.length > 0) {
    const options = [
      ...nearby.slice(0, 12).map((value) => ({ value, label: value })),
      { value: another, label: "another" },
    ];
    const answer = await select({ message: "What is to be learned from?", options });
    if (isCancel(answer)) return undefined;
    if (answer !== another) return answer;
  }
  const answer = await text({
    message: "Where is the data? A file or a folder.",
    placeholder: "book.txt",
    validate: (path = "") => (path.trim() === "" ? "A path, please." : undefined),
  });
  return isCancel(answer) ? undefined : answer;
}

async function askTask(look: DataLook): Promise<string | undefined> {
  // Text without classes is for language models alone.
  const possible = Object.entries(tasks).filter(
    ([task]) => task !== "sequence_classification" || look.columns !== undefined,
  );
  const options = possible.map(([value, meaning]) => ({ value, label: value, hint: meaning }));
  const answer = await select({
    message: "What is the model to do?",
    options,
    initialValue: likelyTask(look) as string,
  });
  return isCancel(answer) ? undefined : answer;
}

async function askColumn({ columns }: DataLook, message: string): Promise<string | undefined> {
  if (columns === undefined) return undefined;
  const answer = await select({ message, options: columns.map((value) => ({ value, label: value })) });
  return isCancel(answer) ? undefined : answer;
}
