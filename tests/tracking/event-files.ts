/** Readers of TensorBoard's event files: one of our own, and TensorBoard where it is installed. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { maskedCrc32c } from "../../src/tracking/crc32c.ts";
import { type Event, EventSchema, SessionLog_SessionStatus } from "../../src/tracking/gen/tensorboard_pb.ts";

/** What a run shows: pairs of step and value, by tag. */
export interface Shown {
  readonly scalars: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly texts: Readonly<Record<string, readonly (readonly [number, string])[]>>;
}

/** Event files of a folder, in the order in which they are read. */
export function eventFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.includes("tfevents"))
    .sort();
}

/** The records of a file, each with its checksums verified; a torn last one is left out. */
function records(bytes: Buffer): Event[] {
  const events: Event[] = [];
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    if (at + 16 + length > bytes.length) break;
    const data = bytes.subarray(at + 12, at + 12 + length);
    const sums = [bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12 + length)];
    const right = [maskedCrc32c(bytes.subarray(at, at + 8)), maskedCrc32c(data)];
    if (sums.join() !== right.join()) throw new Error(`the record at byte ${at} has checksums ${sums}`);
    events.push(fromBinary(EventSchema, data));
    at += 16 + length;
  }
  return events;
}

/** What all files of a folder show together: the start of a session voids its step and later ones. */
export function readHere(folder: string): Shown {
  let told: Event[] = [];
  for (const name of eventFiles(folder))
    for (const event of records(readFileSync(join(folder, name)))) {
      if (event.what.case === "sessionLog" && event.what.value.status === SessionLog_SessionStatus.START)
        told = told.filter(({ step }) => step < event.step);
      told.push(event);
    }
  const scalars: [string, number, number][] = [];
  const texts: [string, number, string][] = [];
  for (const { step, what } of told)
    for (const { tag, value } of what.case === "summary" ? what.value.value : []) {
      if (value.case === "simpleValue") scalars.push([tag, Number(step), value.value]);
      if (value.case === "tensor")
        texts.push([tag, Number(step), Buffer.from(value.value.stringVal[0] ?? []).toString("utf8")]);
    }
  return { scalars: byTag(scalars), texts: byTag(texts) };
}

function byTag<Value>(rows: readonly (readonly [string, number, Value])[]) {
  const tags = [...new Set(rows.map(([tag]) => tag))];
  return Object.fromEntries(
    tags.map((tag) => [
      tag,
      rows.filter(([of]) => of === tag).map(([, step, value]) => [step, value] as const),
    ]),
  );
}

/** A Python that has TensorBoard: `CODEX_ML_TEST_TENSORBOARD=path/to/python`, or the one on the path. */
function pythonWithTensorBoard(): string | undefined {
  const given = process.env.CODEX_ML_TEST_TENSORBOARD;
  try {
    const python = given ?? "python3";
    execFileSync(python, ["-c", "import tensorboard"], { stdio: "ignore" });
    return python;
  } catch (cause) {
    if (given !== undefined) throw new Error(`${given} has no TensorBoard`, { cause });
    return undefined;
  }
}

const python = pythonWithTensorBoard();
if (python === undefined)
  console.log(
    "no TensorBoard here (CODEX_ML_TEST_TENSORBOARD=path/to/python): golden bytes and our own reader alone",
  );

/** All readers there are, by name. */
export const readers: readonly (readonly [string, (folder: string) => Shown])[] = [
  ["our own reader", readHere],
  ...(python === undefined
    ? []
    : [
        [
          "TensorBoard",
          (folder: string) => {
            const script = fileURLToPath(new URL("read_tensorboard.py", import.meta.url));
            const printed = execFileSync(python, [script, folder], { stdio: ["ignore", "pipe", "ignore"] });
            return JSON.parse(printed.toString("utf8")) as Shown;
          },
        ] as const,
      ]),
];
