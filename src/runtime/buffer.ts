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

const deviceValues = new FinalizationRegistry<{ readonly pointer: Pointer; readonly device: DeviceMemory }>(
  ({ pointer, device }) => device.release("ReleaseValue", pointer),
);

/** Memory of a device: JavaScript cannot look into it. */
export interface DeviceMemory {
  readonly name: string;
  /** An `OrtValue` of so many elements. */
  allocate(elementType: number, shape: readonly number[]): Pointer;
  /** Gives a handle back when nothing runs. */
  release(what: "ReleaseValue" | "ReleaseSession", pointer: Pointer): void;
  /** Copies between our memory and the device's, or within it; both have one dtype and shape. */
  copy(from: TensorBuffer, to: TensorBuffer): void;
}

export interface BufferSource<D extends DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  /** First values; zeros (or what the other buffer holds) without. A device's memory then holds anything. */
  readonly data?: ArrayOf[D];
  /** Memory of another buffer to share, from element `offset` on. */
  readonly within?: { readonly buffer: TensorBuffer<D>; readonly offset: number };
  /** Where the memory is. Default: ours. */
  readonly device?: DeviceMemory | undefined;
}

/**
 * Memory that graphs read from and write into, without copies: JavaScript sees `data`, the library the same bytes. On a device
 * it is out of sight, and `read` and `write` copy.
 * Whoever runs a graph keeps its buffers referenced until the run settles; {@link Call} does.
 */
export class TensorBuffer<D extends DType = DType> implements HostTensor<D> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly device: DeviceMemory | undefined;
  /** The library's handle (`OrtValue*`). */
  readonly pointer: Pointer;
  readonly #data: ArrayOf[D] | undefined;

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
    if (tensor.within !== undefined && (tensor.device ?? tensor.within.buffer.device) !== undefined)
      throw new RuntimeError("BAD_BUFFER", "Memory of a device has no views of its parts.");
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
    this.device = tensor.device;
    if (tensor.device !== undefined) {
      const { device } = tensor;
      this.pointer = device.allocate(elementTypes[dtype], shape);
      deviceValues.register(this, { pointer: this.pointer, device });
      if (tensor.data !== undefined) this.write(tensor.data);
      return;
    }
    const data = tensor.within
      ? (tensor.within.buffer.data.subarray(tensor.within.offset, tensor.within.offset + count) as ArrayOf[D])
      : allocate(dtype, shape).data;
    this.#data = data;
    if (tensor.data !== undefined) (data as Float32Array).set(tensor.data as Float32Array);
    this.pointer = ortApi().create(
      "CreateTensorWithDataAsOrtValue",
      ortEnvironment().memoryInfo,
      data,
      count * byteSize[dtype],
      BigInt64Array.from(shape, BigInt),
      shape.length,
      elementTypes[dtype],
    );
    values.register(this, this.pointer);
  }

  /**
   * The bytes themselves.
   *
   * @throws RuntimeError when they are on a device.
   */
  get data(): ArrayOf[D] {
    if (this.#data === undefined)
      throw new RuntimeError(
        "ON_DEVICE",
        `A buffer of shape ${formatShape(this.shape)} is in the memory of ${this.device?.name}: read() and write() copy.`,
      );
    return this.#data;
  }

  /** The numbers: our memory itself, or a copy of a device's. */
  read(): ArrayOf[D] {
    if (this.device === undefined) return this.data;
    const copy = new TensorBuffer({ dtype: this.dtype, shape: this.shape });
    this.device.copy(this, copy);
    return copy.data;
  }

  /**
   * Replaces the numbers.
   *
   * @throws RuntimeError unless there are as many.
   */
  write(numbers: ArrayOf[D]): void {
    const count = elementCount(this.shape);
    if (numbers.length !== count)
      throw new RuntimeError(
        "BAD_BUFFER",
        `${numbers.length} numbers do not fill a buffer of shape ${formatShape(this.shape)}.`,
      );
    if (this.device === undefined) (this.data as Float32Array).set(numbers as Float32Array);
    else this.device.copy(new TensorBuffer({ dtype: this.dtype, shape: this.shape, data: numbers }), this);
  }
}
