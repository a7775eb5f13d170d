import { defineConfig } from "vitest/config";

/** The tests that need a device: `npm run test:device`. One file after the other, since they share it. */
export default defineConfig({
  test: {
    include: ["tests/device/**/*.device.ts"],
    fileParallelism: false,
    // The first step on a software adapter compiles hundreds of shaders.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
