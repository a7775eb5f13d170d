import { byteSize, type DType, formatShape } from "../tensor/index.ts";
import { RuntimeError } from "./errors.ts";
import { allocate, type ArrayOf, elementCount, type HostTensor } from "./host-tensor.ts";
import { ortApi, type Pointer } from "./ort/api.ts";
import { ortEnvironment } from "./ort/environment.ts";

/** Values of `ONNXTensorElementDataType`. */
const elementTypes: Readonly<Record<DType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11, uint32: 12 };

const values = new FinalizationRegistry<Pointer>((pointer) => ortApi().release("ReleaseValue", pointer));

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

  /** Zeros of a shape, or a copy of a tensor's numbers. */
  constructor(tensor: { readonly dtype: D; readonly shape: readonly number[]; readonly data?: ArrayOf[D] }) {
    const { dtype, shape } = tensor;
    if (tensor.data !== undefined && tensor.data.length !== elementCount(shape))
      throw new RuntimeError("BAD_BUFFER", `${tensor.data.length} numbers do not fill a buffer of shape ${formatShape(shape)}.`);
    const memory = allocate(dtype, shape);
    if (tensor.data !== undefined) (memory.data as Float32Array).set(tensor.data as Float32Array);
    this.dtype = dtype;
    this.shape = shape;
    this.data = memory.data;
    this.pointer = ortApi().create(
      "CreateTensorWithDataAsOrtValue",
      ortEnvironment().memoryInfo,
      this.data,
      elementCount(shape) * byteSize[dtype],
      BigInt64Array.from(shape, BigInt),
      shape.length,
      elementTypes[dtype],
    );
    values.register(this, this.pointer);
  }
}
