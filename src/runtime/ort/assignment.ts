import { addressesAt, ortApi, type Pointer, textAt } from "./api.ts";
import type { OrtSession } from "./session.ts";

/** The session option that makes the library keep who computes what. */
export const KEEP_ASSIGNMENT = "session.record_ep_graph_assignment_info";

/** Operators of the nodes of a session that its provider has left to the CPU, one entry a node. */
export function cpuNodes(session: OrtSession, provider: string): readonly string[] {
  const operators: string[] = [];
  for (const part of listOf("Session_GetEpGraphAssignmentInfo", session.pointer)) {
    if (textAt(ortApi().create("EpAssignedSubgraph_GetEpName", part)) === provider) continue;
    for (const node of listOf("EpAssignedSubgraph_GetNodes", part))
      operators.push(textAt(ortApi().create("EpAssignedNode_GetOperatorType", node)));
  }
  return operators;
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
