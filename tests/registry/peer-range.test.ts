import * as fc from "fast-check";
import { satisfies } from "semver";
import { expect, test } from "vitest";
import { fitsRange, ownVersion } from "../../src/packages/packages.ts";

const own = ownVersion() ?? "";
const [major = 0, minor = 0, patch = 0] = own.split(".").map(Number);

test("a peer range means what semver says, the ranges that are answered without it too", () => {
  for (const version of [
    own,
    `${major}.${minor}.0`,
    `${major}.${minor}.${patch + 1}`,
    `${major}.${minor + 1}.0`,
    `${major + 1}.0.0`,
    `${major}.1${minor}.0`,
    "0.0.0",
  ])
    for (const range of [version, `^${version}`, `~${version}`, `>=${version}`, `<${version}`])
      expect(fitsRange(range), range).toBe(satisfies(own, range, { includePrerelease: true }));
});

test("the workspace protocol is looked through, and what only a package manager understands fits", () => {
  expect(fitsRange(`workspace:^${own}`)).toBe(true);
  expect(fitsRange("workspace:^99.0.0")).toBe(false);
  for (const range of ["workspace:*", "file:../codex-ml", "latest"])
    expect(fitsRange(range), range).toBe(true);
});

test("any version and any simple range agree with semver", () => {
  const part = fc.oneof(fc.nat(2), fc.constantFrom(9, 10, 11));
  const version = fc.tuple(part, part, part).map((parts) => parts.join("."));
  const operator = fc.constantFrom("^", "~", ">=", "<=", "<", ">", "=", "", "^ ", "~ ");
  const tag = fc.constantFrom("", "", "", "-beta.1");
  fc.assert(
    fc.property(version, tag, operator, version, tag, (ours, ourTag, sign, theirs, theirTag) => {
      const [own, range] = [ours + ourTag, sign + theirs + theirTag];
      expect(fitsRange(range, own), `${own} in ${range}`).toBe(
        satisfies(own, range, { includePrerelease: true }),
      );
    }),
    { numRuns: 3000 },
  );
});
