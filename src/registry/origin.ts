import { fileURLToPath } from "node:url";

/**
 * Where a registration came from, and how it stands.
 *
 * `builtin`: part of Codex ML. `program`: a call of `register`. `temporary`: a call of `temporarily`.
 * `entry-point`: declared in a package's `package.json`.
 */
export interface Origin {
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

/** `my-extension@1.2.0`, or the name alone where no version is known. */
export function packageLabel(name: string, version: string | undefined): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** An origin in a few words, for messages. */
export function describeOrigin(origin: Origin): string {
  const owner = packageLabel(origin.package ?? "unknown package", origin.version);
  const place = origin.location === undefined ? "" : ` at ${origin.location}`;
  switch (origin.kind) {
    case "builtin":
      return `built into ${owner}`;
    case "entry-point":
      return `${owner}, ${origin.target ?? ""}`;
    case "program":
      return `registered${place}`;
    case "temporary":
      return `registered temporarily${place}`;
  }
}

// A frame ends in `(path:line:column)` or `at path:line:column`; node: and <anonymous> frames do not match.
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/]).+?):(\d+):\d+\)?$/;

/**
 * `file:line` of whoever called `callee`.
 *
 * V8 cuts the stack at `callee` itself, so this holds in a bundle too, where file names say nothing about rooms.
 */
export function callerLocation(callee: (...args: never[]) => unknown): string | undefined {
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, callee);
  for (const line of trace.stack?.split("\n") ?? []) {
    const [, file, row] = FRAME.exec(line) ?? [];
    if (file === undefined) continue;
    return `${file.startsWith("file://") ? fileURLToPath(file) : file}:${row}`;
  }
  return undefined;
}
