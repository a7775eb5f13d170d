import { create } from "@bufbuild/protobuf";
import { byteSize, type ConstantData, type DType } from "../tensor/index.ts";
import {
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from "./gen/onnx_pb.ts";

/** ONNX's number for a dtype. */
export const onnxType: Readonly<Record<DType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  uint32: TensorProto_DataType.UINT32,
  bool: TensorProto_DataType.BOOL,
};

/** Little-endian elements, as `raw_data` holds them on every machine. */
function rawBytes(data: ConstantData, dtype: DType): Uint8Array {
  const bytes = new Uint8Array(data.length * byteSize[dtype]);
  const view = new DataView(bytes.buffer);
  const write: Readonly<Record<DType, (at: number, value: number) => void>> = {
    float32: (at, value) => view.setFloat32(at, value, true),
    float64: (at, value) => view.setFloat64(at, value, true),
    int32: (at, value) => view.setInt32(at, value, true),
    int64: (at, value) => view.setBigInt64(at, BigInt(value), true),
    uint32: (at, value) => view.setUint32(at, value, true),
    bool: (at, value) => view.setUint8(at, value),
  };
  for (let index = 0; index < data.length; index++) write[dtype](index * byteSize[dtype], data[index] ?? 0);
  return bytes;
}

/** Encodes a constant. */
export function tensorProto(
  name: string,
  data: ConstantData,
  dtype: DType,
  shape: readonly number[],
): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: onnxType[dtype],
    dims: shape.map(BigInt),
    rawData: rawBytes(data, dtype),
  });
}

/** A constant whose numbers are handed over beside the model's bytes, under its name. */
export function outsideProto(name: string, dtype: DType, shape: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: onnxType[dtype],
    dims: shape.map(BigInt),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    // A file that is never opened: without an address the library does not take the model.
    externalData: [create(StringStringEntryProtoSchema, { key: "location", value: "memory" })],
  });
}
