import { isCancel, select, text } from "@clack/prompts";
import {
  defaultPackage,
  findKind,
  freeName,
  type PluginRequest,
  planPlugin,
  pluginKinds,
} from "./request.ts";

/**
 * Asks for what a request lacks; what is there is not asked for again. An answer that cannot be is asked for until it can.
 *
 * @returns undefined when whoever was asked pressed Ctrl-C or Escape.
 * @throws UsageError when what is there cannot be.
 */
export async function completeRequest(given: Partial<PluginRequest>): Promise<PluginRequest | undefined> {
  const kind = given.kind === undefined ? await askKind() : findKind(given.kind).word;
  if (kind === undefined) return undefined;
  const name = given.name ?? (await askName(kind));
  if (name === undefined) return undefined;
  const request = { ...given, kind, name: freeName(findKind(kind), name) };
  if (given.package !== undefined) return request;
  const packageName = await askPackage(request);
  return packageName === undefined ? undefined : { ...request, package: packageName };
}

async function askKind(): Promise<string | undefined> {
  const options = pluginKinds.map(({ word, noun }) => ({ value: word, label: noun }));
  const answer = await select({ message: "What is it to be?", options });
  return isCancel(answer) ? undefined : answer;
}

async function askName(kind: string): Promise<string | undefined> {
  const { noun } = findKind(kind);
  const answer = await text({
    message: `What will run files call the ${noun}?`,
    placeholder: `my_${noun.replaceAll(" ", "_")}`,
    validate: (name = "") => refusal(() => freeName(findKind(kind), name)),
  });
  return isCancel(answer) ? undefined : answer;
}

async function askPackage(request: PluginRequest): Promise<string | undefined> {
  const answer = await text({
    message: "What is the package's name?",
    initialValue: defaultPackage(request.name),
    validate: (packageName = "") => refusal(() => planPlugin({ ...request, package: packageName })),
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
