import type { DType } from "./dtype.ts";
import type { Dim, Shape } from "./shape.ts";
import type { ConstantData } from "./tensor.ts";

/** A named value of the ONNX graph under construction. */
export interface Value {
  readonly name: string;
}

/** Attribute values as ONNX types them: integers, reals, texts, lists of integers and element types are told apart. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly dtype: DType };

/** The domain of ONNX Runtime's own operators (FusedMatMul, FastGelu …). */
export const CONTRIB = "com.microsoft";

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
  /** Number of outputs. Default 1. */
  readonly outputs?: number;
}

/**
 * What an operator's lowering writes to. The tensor room speaks ONNX's operator set; the bytes are the runtime's matter.
 * Whether a plain or a fused form is emitted is decided in each operator's `lower` by asking `fused`.
 */
export interface Lowering {
  /** Emits a node; `undefined` inputs are ONNX's omitted optional inputs. */
  node(
    type: string,
    inputs: readonly (Value | undefined)[],
    options?: NodeOptions,
  ): readonly [Value, ...Value[]];
  /** A constant; equal small constants are shared. */
  constant(data: ConstantData, dtype: DType, shape: Shape): Value;
  /** A constant filled with one number. */
  fill(value: number, dtype: DType, shape: Shape): Value;
  /** An int64 vector holding these dimensions, computed at run time where they are symbolic. */
  shapeVector(shape: Shape): Value;
  /** One dimension as an int64 vector of length 1. */
  dim(dim: Dim): Value;
  /** The same elements, row-major, in another shape of as many; an axis may be empty. */
  reshape(value: Value | undefined, shape: Shape): Value;
  /** Whether operators of ONNX Runtime beyond the standard may be used for this dtype. */
  fused(dtype: DType): boolean;
  /**
   * Whether what will compute has no kernel for an operator that others have: it would be a way to the CPU and back. An `ordered`
   * one adds numbers in the same order each time.
   */
  lacks(operator: string): boolean;
  /** Whether a processor will compute it: forms that suit its caches and threads, and would only be work for others. */
  readonly forProcessor: boolean;
}
