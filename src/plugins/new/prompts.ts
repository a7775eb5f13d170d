import type { Readable, Writable } from "node:stream";
import { isCancel, select, text } from "@clack/prompts";
import {
  defaultPackage,
  findKind,
  freeName,
  type PluginRequest,
  planPlugin,
  pluginKinds,
} from "./request.ts";

/** The terminal to ask at. Default: the process's. */
export interface Terminal {
  readonly input?: Readable;
  readonly output?: Writable;
}

/**
 * Asks for what a request lacks; what is there is not asked for again. An answer that cannot be is asked for until it can.
 *
 * @returns undefined when whoever was asked pressed Ctrl-C or Escape.
 * @throws UsageError when what is there cannot be.
 */
export async function completeRequest(
  given: Partial<PluginRequest>,
  terminal: Terminal = {},
): Promise<PluginRequest | undefined> {
  const kind = given.kind === undefined ? await askKind(terminal) : findKind(given.kind).word;
  if (kind === undefined) return undefined;
  const name = given.name ?? (await askName(kind, terminal));
  if (name === undefined) return undefined;
  const request = { ...given, kind, name: freeName(findKind(kind), name) };
  if (given.package !== undefined) return request;
  const packageName = await askPackage(request, terminal);
  return packageName === undefined ? undefined : { ...request, package: packageName };
}

async function askKind(terminal: Terminal): Promise<string | undefined> {
  const options = pluginKinds.map(({ word, noun }) => ({ value: word, label: noun }));
  const answer = await select({ message: "What is it to be?", options, ...terminal });
  return isCancel(answer) ? undefined : answer;
}

async function askName(kind: string, terminal: Terminal): Promise<string | undefined> {
  const { noun } = findKind(kind);
  const answer = await text({
    message: `What will run files call the ${noun}?`,
    placeholder: `my_${noun.replaceAll(" ", "_")}`,
    validate: (name = "") => refusal(() => freeName(findKind(kind), name)),
    ...terminal,
  });
  return isCancel(answer) ? undefined : answer;
}

async function askPackage(request: PluginRequest, terminal: Terminal): Promise<string | undefined> {
  const answer = await text({
    message: "What is the package's name?",
    initialValue: defaultPackage(request.name),
    validate: (packageName = "") => refusal(() => planPlugin({ ...request, package: packageName })),
    ...terminal,
  });
  return isCancel(answer) ? undefined : answer;
}

/** What is wrong with an answer, if something is. */
function refusal(use: () => unknown): string | undefined {
  try {
    use();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
