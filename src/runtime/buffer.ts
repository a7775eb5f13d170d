import { byteSize, type DType, formatShape } from "../tensor/index.ts";
import { RuntimeError } from "./errors.ts";
import { type ArrayOf, allocate, elementCount, type HostTensor } from "./host-tensor.ts";
import { ortApi, type Pointer } from "./ort/api.ts";
import { ortEnvironment } from "./ort/environment.ts";

/** Values of `ONNXTensorElementDataType`. */
const elementTypes: Readonly<Record<DType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
  uint32: 12,
};

const values = new FinalizationRegistry<Pointer>((pointer) => ortApi().release("ReleaseValue", pointer));

export interface BufferSource<D extends DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  /** First values; zeros (or what the other buffer holds) without. */
  readonly data?: ArrayOf[D];
  /** Memory of another buffer to share, from element `offset` on. */
  readonly within?: { readonly buffer: TensorBuffer<D>; readonly offset: number };
}

/**
 * Memory that graphs read from and write into, without copies: JavaScript sees `data`, the library the same bytes.
 * Whoever runs a graph keeps its buffers referenced until the run settles; {@link Call} does.
 */
export class TensorBuffer<D extends DType = DType> implements HostTensor<D> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ArrayOf[D];
  /** The library's handle (`OrtValue*`). */
  readonly pointer: Pointer;

  /**
   * Zeros of a shape, a copy of a tensor's numbers, or (with `within`) a view of a part of another buffer's memory.
   *
   * @throws RuntimeError when the numbers do not fill the shape, or the part lies outside the other buffer.
   */
  constructor(tensor: BufferSource<D>) {
    const { dtype, shape } = tensor;
    const count = elementCount(shape);
    if (tensor.data !== undefined && tensor.data.length !== count)
      throw new RuntimeError(
        "BAD_BUFFER",
        `${tensor.data.length} numbers do not fill a buffer of shape ${formatShape(shape)}.`,
      );
    if (tensor.within !== undefined && tensor.within.buffer.dtype !== dtype)
      throw new RuntimeError(
        "BAD_BUFFER",
        `A view has the dtype of its buffer, ${tensor.within.buffer.dtype}; got ${dtype}.`,
      );
    if (tensor.within !== undefined && !(Number.isInteger(tensor.within.offset) && tensor.within.offset >= 0))
      throw new RuntimeError(
        "BAD_BUFFER",
        `A view starts at a whole number of elements; got ${tensor.within.offset}.`,
      );
    if (tensor.within !== undefined && tensor.within.offset + count > tensor.within.buffer.data.length)
      throw new RuntimeError(
        "BAD_BUFFER",
        `A view of ${count} numbers at ${tensor.within.offset} reaches beyond its buffer of ${tensor.within.buffer.data.length}.`,
      );
    this.dtype = dtype;
    this.shape = shape;
    this.data = tensor.within
      ? (tensor.within.buffer.data.subarray(tensor.within.offset, tensor.within.offset + count) as ArrayOf[D])
      : allocate(dtype, shape).data;
    if (tensor.data !== undefined) (this.data as Float32Array).set(tensor.data as Float32Array);
    this.pointer = ortApi().create(
      "CreateTensorWithDataAsOrtValue",
      ortEnvironment().memoryInfo,
      this.data,
      count * byteSize[dtype],
      BigInt64Array.from(shape, BigInt),
      shape.length,
      elementTypes[dtype],
    );
    values.register(this, this.pointer);
  }
}
