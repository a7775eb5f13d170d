import { fileURLToPath } from "node:url";

/** Frames to look through: a model of modules in modules may be some dozens deep. */
const DEPTH = 100;

const here = new URL(".", import.meta.url).href;

/**
 * Folders whose frames are not the user's. From sources those of operators and layers, so that a line of a built-in model
 * counts as its author's; in the package everything lies in one folder.
 */
const own = here.endsWith("/src/tensor/") ? [here, new URL("../nn/", here).href] : [here];

/**
 * `/path/model.ts:14:31`: the innermost line of the running code that is neither the library's nor Node's; `undefined` where
 * there is none.
 */
export function userLocation(): string | undefined {
  const limit = Error.stackTraceLimit;
  const holder: { stack?: string } = {};
  try {
    Error.stackTraceLimit = DEPTH;
    Error.captureStackTrace(holder);
    // Formatting happens at the first read, under the limit of the capture.
    return holder.stack?.split("\n").map(placeOf).find(isUsers);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** The place in a line as `    at Attention.forward (file:///path/model.ts:14:31)`. */
function placeOf(line: string): string | undefined {
  const place = /^\s*at (?:async )?(?:.*\()?(.+:\d+:\d+)\)?$/.exec(line)?.[1];
  return place?.startsWith("file:") ? fileURLToPath(place) : place;
}

const ownPaths = own.map((folder) => fileURLToPath(folder));

function isUsers(place: string | undefined): place is string {
  return (
    place !== undefined &&
    !place.startsWith("node:") &&
    !place.startsWith("<") &&
    !ownPaths.some((folder) => place.startsWith(folder))
  );
}
