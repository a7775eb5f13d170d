import { ownVersion } from "../registry/index.ts";
import { type Device, runtimeInfo } from "../runtime/index.ts";

/** What computes, for manifests. */
export function versionsNow(on?: Device): {
  readonly device: string;
  readonly threads: number;
  readonly versions: Readonly<Record<string, string>>;
} {
  const { name, version, device, threads } = runtimeInfo(on);
  return {
    versions: { "codex-ml": ownVersion() ?? "unknown", [name]: version, node: process.versions.node },
    device,
    threads,
  };
}
