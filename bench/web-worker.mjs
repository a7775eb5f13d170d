// Browsers' `Worker` on Node's threads, as far as jax-js asks for it: without one it computes on a single core.
import { resolveObjectURL } from "node:buffer";
import { availableParallelism } from "node:os";
import { Worker as Thread } from "node:worker_threads";

const prelude = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on("message", (data) => self.onmessage({ data }));
`;

class WebWorker {
  onmessage = () => {};
  onerror = () => {};
  #thread;

  constructor(url) {
    this.#thread = resolveObjectURL(url)
      .text()
      .then((source) => {
        const thread = new Thread(prelude + source, { eval: true });
        thread.on("message", (data) => this.onmessage({ data }));
        thread.on("error", (error) => this.onerror(error));
        return thread;
      });
  }

  postMessage(message) {
    void this.#thread.then((thread) => thread.postMessage(message));
  }
}

globalThis.Worker ??= WebWorker;
globalThis.navigator ??= { hardwareConcurrency: availableParallelism(), userAgent: "" };
