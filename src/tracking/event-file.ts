import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { maskedCrc32c } from "./crc32c.ts";
import {
  EventSchema,
  SessionLog_SessionStatus,
  type Summary_Value,
  Summary_ValueSchema,
  TensorProto_DataType,
} from "./gen/tensorboard_pb.ts";

/** What a record holds, besides its step and when that was: seconds since 1970. */
type What = NonNullable<MessageInitShape<typeof EventSchema>["what"]>;

/** The first record of a file. */
export function versionRecord(wallTime: number): Uint8Array {
  return record(wallTime, 0, { case: "fileVersion", value: "brain.Event:2" });
}

/** What files before this one tell of `step` and later ones is void: those steps come again. */
export function restartRecord(wallTime: number, step: number): Uint8Array {
  return record(wallTime, step, {
    case: "sessionLog",
    value: { status: SessionLog_SessionStatus.START },
  });
}

/** Numbers and texts of a step. */
export function summaryRecord(wallTime: number, step: number, value: Summary_Value[]): Uint8Array {
  return record(wallTime, step, { case: "summary", value: { value } });
}

export function scalar(tag: string, value: number): Summary_Value {
  return create(Summary_ValueSchema, { tag, value: { case: "simpleValue", value } });
}

/** A text for the text dashboard, which reads it as Markdown. */
export function text(tag: string, markdown: string): Summary_Value {
  return create(Summary_ValueSchema, {
    tag,
    metadata: { pluginData: { pluginName: "text" } },
    value: {
      case: "tensor",
      value: {
        dtype: TensorProto_DataType.DT_STRING,
        tensorShape: { dim: [{ size: 1n }] },
        stringVal: [new TextEncoder().encode(markdown)],
      },
    },
  });
}

function record(wallTime: number, step: number, what: What): Uint8Array {
  return framed(toBinary(EventSchema, create(EventSchema, { wallTime, step: BigInt(step), what })));
}

/**
 * A record of a TFRecord file: length (8 bytes, little-endian), masked CRC-32C of the length, data, masked CRC-32C of the data
 * (https://www.tensorflow.org/tutorials/load_data/tfrecord, "TFRecords format details").
 */
function framed(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}
