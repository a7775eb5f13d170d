// One process of the registry benchmark: what it measures, it prints as JSON. The working directory is the project.
const [face, what, name] = process.argv.slice(2);
const started = performance.now();
const { createRegistries } = await import(face);
const imported = performance.now() - started;

/** Milliseconds that so many calls take. */
async function milliseconds(times, call) {
  const began = performance.now();
  await call(times);
  return performance.now() - began;
}

/** Nanoseconds a call, the best of some rounds: what else the machine does only adds. */
async function nanoseconds(times, call) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) best = Math.min(best, await milliseconds(times, call));
  return (best * 1e6) / times;
}

function list() {
  const began = performance.now();
  const { metrics } = createRegistries();
  const found = metrics.list().length;
  return { metrics, found, took: performance.now() - began };
}

const asking = (metrics) => async (times) => {
  for (let time = 0; time < times; time++) await metrics.get(name);
};

if (what === "list") {
  const first = list();
  // With everything that can be asked without an import: who answers, and whether each target is there.
  const began = performance.now();
  first.metrics.entries();
  const problems = first.metrics.problems().length;
  const whole = first.took + performance.now() - began;
  const again = Array.from({ length: 15 }, () => list().took).sort((a, b) => a - b);
  const evaluated = globalThis.evaluated ?? 0;
  // Asked for last, so that nothing above is quicker for it.
  const million = name === undefined ? 0 : await milliseconds(1e6, asking(first.metrics));
  const { found, took } = first;
  console.log(
    JSON.stringify({ imported, found, first: took, whole, problems, again: again[7], evaluated, million }),
  );
} else {
  const { metrics } = createRegistries();
  await metrics.get(name);
  const get = await nanoseconds(1e5, asking(metrics));
  const has = await nanoseconds(1e5, (times) => {
    for (let time = 0; time < times; time++) if (!metrics.has(name)) throw new Error(name);
  });
  // What any asynchronous function costs that returns at once what is there.
  const there = async () => name;
  const nothing = await nanoseconds(1e5, async (times) => {
    for (let time = 0; time < times; time++) await there();
  });
  console.log(JSON.stringify({ get, has, nothing }));
}
