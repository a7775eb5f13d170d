import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { flopsByPlace, operationsOf, type Tensor } from "../tensor/index.ts";
import { RuntimeError } from "./errors.ts";
import type { OrtSession, SessionObserver } from "./ort/session.ts";

/** What one node of a program took, over all runs that counted. */
export interface NodeProfile {
  readonly name: string;
  /** The operation of the traced graph that it belongs to (see `placeOf`); undefined for what the library put in itself. */
  readonly place: string | undefined;
  /** The library's operator: `Gemm`. */
  readonly kernel: string;
  readonly calls: number;
  readonly milliseconds: number;
}

/** What a program did while the profiler looked. */
export interface ProgramProfile {
  readonly runs: number;
  /** Inside the library by its own clock, over all runs; more than the sum of the nodes. */
  readonly milliseconds: number;
  readonly nodes: readonly NodeProfile[];
  /** Floating-point operations of one run by place. */
  readonly flops: ReadonlyMap<string, number>;
}

/**
 * Records what programs spend their time on, node by node, with ONNX Runtime's own profiler. That records from a session's
 * beginning and can only be ended: programs that are made with a profiler are slower until {@link stop}, and as fast as any
 * after it. Only runs after {@link start} count.
 */
export class Profiler {
  readonly #folder = mkdtempSync(join(tmpdir(), "codex-ml-profile-"));
  readonly #recordings: Recording[] = [];
  #state: "waiting" | "counting" | "over" = "waiting";
  #library = 0;

  /** For a new program that computes `outputs`; undefined when it is too late to look. */
  record(outputs: Iterable<Tensor>): Recording | undefined {
    if (this.#state === "over") return undefined;
    const prefix = join(this.#folder, `session-${this.#recordings.length}`);
    const recording = new Recording(prefix, [...outputs], (milliseconds) => {
      this.#library += milliseconds;
    });
    this.#recordings.push(recording);
    return recording;
  }

  /** Milliseconds that calls of the library took so far, in programs that were made with this profiler; after `stop`, too. */
  get library(): number {
    return this.#library;
  }

  /** About how many nodes were recorded so far. The library keeps a kilobyte or two of each, and drops those above a million. */
  get recorded(): number {
    return this.#recordings.reduce((sum, { runs, operations }) => sum + runs * operations, 0);
  }

  /** Runs from here on count. */
  start(): void {
    this.#state = "counting";
    for (const recording of this.#recordings) recording.skipped = recording.runs;
  }

  /** Ends recording. No program may be running. Gives what each program did, in the order in which they were made. */
  async stop(): Promise<readonly ProgramProfile[]> {
    this.#state = "over";
    try {
      const profiles: ProgramProfile[] = [];
      for (const recording of this.#recordings) profiles.push(await recording.read());
      return profiles;
    } finally {
      await this.discard();
    }
  }

  /** Ends recording, and removes what was recorded. */
  async discard(): Promise<void> {
    this.#state = "over";
    await Promise.allSettled(this.#recordings.map(({ session }) => session?.endProfiling()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The runs of one program. */
class Recording implements SessionObserver {
  readonly profilePrefix: string;
  /** By every place of the graph, 0 where there are no products of matrices. */
  readonly flops: ReadonlyMap<string, number>;
  /** Of the traced graph; the library's nodes are about as many. */
  readonly operations: number;
  session: OrtSession | undefined;
  runs = 0;
  /** Runs before those that count. */
  skipped = 0;
  readonly #ran: (milliseconds: number) => void;

  constructor(profilePrefix: string, outputs: readonly Tensor[], ran: (milliseconds: number) => void) {
    this.profilePrefix = profilePrefix;
    this.flops = flopsByPlace(outputs);
    this.operations = operationsOf(outputs).length;
    this.#ran = ran;
  }

  ran(milliseconds: number): void {
    this.runs++;
    this.#ran(milliseconds);
  }

  async read(): Promise<ProgramProfile> {
    const nodes = new Map<string, { kernel: string; calls: number; milliseconds: number }>();
    let [run, milliseconds] = [0, 0];
    const path = await this.session?.endProfiling();
    if (path !== undefined)
      for await (const event of eventsOf(path)) {
        const counts = run >= this.skipped;
        // The event of a whole run is written at its end, behind those of its nodes.
        if (event.name === "model_run") run++;
        if (!counts) continue;
        if (event.name === "model_run") milliseconds += event.dur / 1000;
        if (event.cat !== "Node") continue;
        const name = event.name.replace(/_kernel_time$/, "");
        const node = nodes.get(name) ?? { kernel: event.args?.op_name ?? "", calls: 0, milliseconds: 0 };
        node.calls++;
        node.milliseconds += event.dur / 1000;
        nodes.set(name, node);
      }
    return {
      runs: run - Math.min(run, this.skipped),
      milliseconds,
      nodes: [...nodes].map(([name, node]) => ({ name, place: placeIn(this.flops, name), ...node })),
      flops: this.flops,
    };
  }
}

/**
 * The place that a node was named after: `<place>_<number>`. What the library makes of several nodes, or beside one, it calls
 * after one of them with something behind, or anything else.
 */
export function placeIn(places: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const candidates = [...name.matchAll(/_\d+/g)].map(({ index }) => name.slice(0, index));
  return candidates.findLast((place) => places.has(place));
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** The library writes an array of events, one a line. Read line by line, it may be larger than a string can be. */
async function* eventsOf(path: string): AsyncGenerator<ProfileEvent> {
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.startsWith("{")) continue;
    let event: ProfileEvent;
    try {
      event = JSON.parse(line.replace(/,\s*$/, "")) as ProfileEvent;
    } catch (cause) {
      throw new RuntimeError("BAD_PROFILE", `ONNX Runtime wrote a profile that cannot be read: ${line}`, {
        cause,
      });
    }
    yield event;
  }
}
