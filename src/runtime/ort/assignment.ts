import { addressesAt, type FunctionName, ortApi, type Pointer, textAt } from "./api.ts";
import type { OrtSession } from "./session.ts";

/** The session option that makes the library keep who computes what. */
export const KEEP_ASSIGNMENT = "session.record_ep_graph_assignment_info";

/** A node that a provider has left to the CPU. */
export interface CpuNode {
  readonly name: string;
  readonly operator: string;
}

/** The nodes of a session that its provider has left to the CPU. */
export function cpuNodes(session: OrtSession, provider: string): readonly CpuNode[] {
  const nodes: CpuNode[] = [];
  const textOf = (name: FunctionName, of: Pointer) => textAt(ortApi().create(name, of));
  for (const part of listOf("Session_GetEpGraphAssignmentInfo", session.pointer)) {
    if (textOf("EpAssignedSubgraph_GetEpName", part) === provider) continue;
    for (const node of listOf("EpAssignedSubgraph_GetNodes", part))
      nodes.push({
        name: textOf("EpAssignedNode_GetName", node),
        operator: textOf("EpAssignedNode_GetOperatorType", node),
      });
  }
  return nodes;
}

/** What a function gives of an object: an array, and how long it is. */
function listOf(
  name: "Session_GetEpGraphAssignmentInfo" | "EpAssignedSubgraph_GetNodes",
  of: Pointer,
): readonly Pointer[] {
  const [list, count] = [new BigUint64Array(1), new BigUint64Array(1)];
  ortApi().call(name, of, list, count);
  return addressesAt(list[0] ?? 0n, Number(count[0] ?? 0n));
}
