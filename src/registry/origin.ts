import { fileURLToPath } from "node:url";
import { packageLabel } from "../packages/index.ts";

/** Where a registration came from, and how it stands. */
export interface Origin {
  /** Part of Codex ML, a call of `register`, declared in a package's `package.json`, or a call of `temporarily`. */
  readonly kind: "builtin" | "program" | "entry-point" | "temporary";
  readonly package: string | undefined;
  readonly version: string | undefined;
  /** `subpath#export`, as the package declares it. */
  readonly target: string | undefined;
  /** `file:line` of the call that registered it, or the path of the `package.json` that declares it. */
  readonly location: string | undefined;
  /** `shadowed`: something else answers for this name; an entry point is still reachable as `package/name`. */
  readonly status: "declared" | "loaded" | "failed" | "shadowed";
  /** Why it failed, when it did. */
  readonly error: Error | undefined;
  /** What `{ override: true }` replaced. */
  readonly replaced?: Origin;
}

/** A component and where it comes from, for messages. */
export interface Subject {
  /** What its registry calls one: `metric`, `data loader`. */
  readonly noun: string;
  readonly name: string;
  readonly origin: Origin;
}

/** An origin in a few words, for messages. */
export function describeOrigin({ kind, package: owner, version, target, location }: Origin): string {
  if (kind === "entry-point" || kind === "builtin") {
    const from = packageLabel(owner ?? "unknown package", version);
    return kind === "builtin" ? `built into ${from}` : `${from}, ${target ?? ""}`;
  }
  const place = location === undefined ? "" : ` at ${location}`;
  return kind === "program" ? `registered${place}` : `registered temporarily${place}`;
}

// A frame ends in `(path:line:column)` or `at path:line:column`; node: and <anonymous> frames do not match.
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/]).+?):(\d+):\d+\)?$/m;

/**
 * `file:line` of whoever called `callee`.
 *
 * V8 cuts the stack at `callee` itself, so this holds in a bundle too, where file names say nothing about rooms.
 */
export function callerLocation(callee: (...args: never[]) => unknown): string | undefined {
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, callee);
  const [, file, line] = FRAME.exec(trace.stack ?? "") ?? [];
  if (file === undefined) return undefined;
  return `${file.startsWith("file://") ? fileURLToPath(file) : file}:${line}`;
}
