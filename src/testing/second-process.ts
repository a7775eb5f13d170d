import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { broken } from "./check.ts";

/** What a second process is asked to build and observe. Sent by structured clone: it may hold typed arrays. */
export interface ProcessRequest {
  /** Key of the kind: `metrics`. */
  readonly kind: string;
  /** URL of a module, with the name of its export as the fragment. */
  readonly module: string;
  readonly given: { readonly options: unknown; readonly directory: string | undefined };
  readonly told: Readonly<Record<string, unknown>>;
}

export type ProcessAnswer = { readonly observation: unknown } | { readonly error: string };

const LIMIT_MS = 60_000;

/** What the component does in a process of its own. @throws ConformanceError when it does not get that far. */
export async function observedElsewhere(request: ProcessRequest): Promise<unknown> {
  // The built file, from the sources too: plain Node 20 cannot import TypeScript.
  const face = createRequire(import.meta.url).resolve("codex-ml/testing");
  // Flags of a test runner are not for the child; NODE_OPTIONS is.
  const child = fork(join(dirname(face), "testing-process.mjs"), [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  try {
    const answer = await new Promise<ProcessAnswer>((resolve, reject) => {
      child.once("message", (message) => resolve(message as ProcessAnswer));
      child.once("error", reject);
      child.once("close", (code, signal) => {
        const why =
          signal === "SIGKILL"
            ? `it did not finish within ${LIMIT_MS / 1000} s`
            : `it exited (${code ?? signal})`;
        resolve({ error: `${why}${stderr === "" ? "" : `; it wrote: ${stderr.trim()}`}` });
      });
      child.send(request);
    });
    if ("observation" in answer) return answer.observation;
    broken(`A second process could not observe ${request.module}: ${answer.error}`);
  } finally {
    clearTimeout(timer);
    if (child.connected) child.disconnect();
  }
}
