import { userLocation } from "./location.ts";
import { currentScope } from "./scope.ts";

/**
 * A graph that cannot be built. The message names the operator and the shapes that do not fit, the part of the model that
 * was being traced, and the line of its author:
 *
 *     linear: x float32(2, 16, 64) times query.weight float32(64, 32) transposed do not fit.
 *         in gpt.layers.3.attention.query
 *         at /home/ada/model.ts:14:31
 */
export class TensorError extends Error {
  readonly code: string;
  /** Path of the module whose `forward` was running, as `gpt.layers.3.attention.query`; empty outside of any. */
  readonly scope: string;
  /** `file:line:column` of the code that asked for it; `undefined` where all code on the way is the library's. */
  readonly location: string | undefined;

  constructor(code: string, message: string, options?: ErrorOptions) {
    const scope = currentScope();
    const location = userLocation();
    super(
      [message, ...(scope ? [`    in ${scope}`] : []), ...(location ? [`    at ${location}`] : [])].join(
        "\n",
      ),
      options,
    );
    this.name = "TensorError";
    this.code = code;
    this.scope = scope;
    this.location = location;
  }
}
