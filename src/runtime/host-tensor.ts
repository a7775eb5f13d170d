import { byteSize, type DType } from "../tensor/index.ts";

/** The array type that holds a dtype's elements in JavaScript. */
export interface ArrayOf {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint32: Uint32Array;
  readonly bool: Uint8Array;
}

/** A tensor's numbers in JavaScript memory, row-major. */
export interface HostTensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ArrayOf[D];
}

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

/** Number of elements of a shape of numbers. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Zeros. The memory is outside V8's heap, whatever its size: it never moves, so that a library may keep its address. */
export function allocate<D extends DType>(dtype: D, shape: readonly number[]): HostTensor<D> {
  const bytes = new ArrayBuffer(elementCount(shape) * byteSize[dtype]);
  return { dtype, shape, data: new constructors[dtype](bytes) as ArrayOf[D] };
}
