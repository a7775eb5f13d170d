import { OrtSession } from "../src/runtime/ort/session.ts";
import { ortApi } from "../src/runtime/ort/api.ts";
import { createRequire } from "node:module";
const seen = new Set(); const run = OrtSession.prototype.run;
OrtSession.prototype.run = function (this: any, ...a: any) { seen.add(this.pointer); return (run as any).apply(this, a); } as any;
export async function main() {
  process.env.PROFILE = "/tmp/prof/proto";
  const { prototypeStep } = await import("./prototype.ts");
  const step = prototypeStep("/work/shared/prototype", { name: "", layers: 4, width: 128, heads: 4, length: 128, batch: 16, vocabulary: 1024 });
  for (let i = 0; i < 30; i++) await step();
  for (const s of seen) ortApi().release("ReleaseSession", s as bigint);
  process.exit(0);
}
