/** Element types a tensor can have. Training is float32; float64 exists so that gradients can be checked to many digits. */
export type DType = "float32" | "float64" | "int32" | "int64" | "uint32" | "bool";

/** Bytes of one element. */
export const byteSize: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  int32: 4,
  int64: 8,
  uint32: 4,
  bool: 1,
};

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}
