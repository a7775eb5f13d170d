// One process of the registry benchmark: what it measures, it prints as JSON. The working directory is the project.
const [face, what, name] = process.argv.slice(2);
const started = performance.now();
const { createRegistries } = await import(face);
const imported = performance.now() - started;

/** Nanoseconds a call, the best of some rounds: what else the machine does only adds. */
async function nanoseconds(times, call) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const began = performance.now();
    await call(times);
    best = Math.min(best, ((performance.now() - began) * 1e6) / times);
  }
  return best;
}

function list() {
  const began = performance.now();
  const { metrics } = createRegistries();
  const found = metrics.list().length;
  return { metrics, found, took: performance.now() - began };
}

if (what === "list") {
  const first = list();
  first.metrics.entries();
  first.metrics.problems();
  const again = Array.from({ length: 15 }, () => list().took).sort((a, b) => a - b);
  const { found, took } = first;
  const result = { imported, found, first: took, again: again[7], evaluated: globalThis.evaluated ?? 0 };
  console.log(JSON.stringify(result));
} else {
  const { metrics } = createRegistries();
  const factory = await metrics.get(name);
  const get = await nanoseconds(1e5, async (times) => {
    for (let time = 0; time < times; time++) if ((await metrics.get(name)) !== factory) throw new Error(name);
  });
  const has = await nanoseconds(1e5, (times) => {
    for (let time = 0; time < times; time++) if (!metrics.has(name)) throw new Error(name);
  });
  // What any asynchronous function costs that returns at once what is there.
  const there = async () => factory;
  const nothing = await nanoseconds(1e5, async (times) => {
    for (let time = 0; time < times; time++) if ((await there()) !== factory) throw new Error(name);
  });
  console.log(JSON.stringify({ get, has, nothing }));
}
