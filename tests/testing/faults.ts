/** Deliberately wrong components, and what the checks say about them. */
import { expect, test } from "vitest";
import { type Factory, InvalidOptionError } from "../../src/registry/index.ts";
import { type ConformanceCheck, ConformanceError } from "../../src/testing/check.ts";

/** A component that is wrong in one way. */
export interface Fault<Component, Options> {
  /** The check that must catch it. */
  readonly check: string;
  /** What is wrong with it. */
  readonly fault: string;
  readonly build: Factory<Component>;
  readonly options?: Options;
  /** What the message must say. */
  readonly says: RegExp;
}

/** A factory that takes no options, and says so. */
export function strict<Component>(make: () => Component | Promise<Component>): Factory<Component> {
  return (options: object) => {
    for (const name of Object.keys(options))
      throw new InvalidOptionError(name, "unknown option; it takes none");
    return make();
  };
}

/**
 * Tests that the right component passes every check, that each fault is caught by its check with its message, and that no
 * check is without a fault.
 */
export function testFaults<Component, Options>(
  conformance: (build: Factory<Component>, options?: Options) => readonly ConformanceCheck[],
  right: { readonly build: Factory<Component>; readonly options?: Options },
  faults: readonly Fault<Component, Options>[],
): void {
  const checks = conformance(right.build, right.options);
  for (const { name, run } of checks) test(`the right one passes: ${name}`, run);

  for (const { check: name, fault, build, options, says } of faults)
    test(`${fault}: caught by “${name}”`, async () => {
      const checks = conformance(build, options ?? right.options);
      const found = checks.filter((check) => check.name === name);
      expect(found.map((check) => check.name)).toEqual([name]);
      const error: unknown = await found[0]?.run().then(
        () => "nothing was thrown",
        (thrown: unknown) => thrown,
      );
      expect(String(error)).toMatch(says);
      // What the registry throws at a build is as good a message, and is handed on as the cause.
      expect(error).toBeInstanceOf(ConformanceError);
    });

  test("every check has a fault that it catches", () => {
    const caught = new Set(faults.map(({ check }) => check));
    expect(checks.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
  });
}
