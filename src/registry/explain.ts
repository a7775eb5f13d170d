import { join } from "node:path";
import type { Discovered } from "./discovery.ts";
import { quote } from "./display.ts";
import { RegistryConflictError, RegistryNotFoundError } from "./errors.ts";
import type { RegistryEntry, RegistryKind } from "./kind.ts";
import type { Reference } from "./names.ts";
import { describeOrigin, type Origin } from "./origin.ts";
import { closestNames } from "./suggest.ts";

type Kind = Pick<RegistryKind<unknown>, "kind" | "noun" | "group">;

/** The error for a name that several claim: who they are, and what would settle it. */
export function conflictError(
  { kind, noun }: Kind,
  name: string,
  origins: readonly Origin[],
): RegistryConflictError {
  const owners = origins.flatMap((origin) =>
    origin.kind === "entry-point" && origin.package !== undefined ? [origin.package] : [],
  );
  const [first] = owners;
  const advice =
    first === undefined
      ? "Choose another name, or replace the first with { override: true }."
      : "Choose one by a pin in the project's package.json, " +
        `"codexMl": { "pins": { ${quote(`${kind}/${name}`)}: ${quote(first)} } }, ` +
        `or ask for ${owners.map((owner) => quote(`${owner}/${name}`)).join(" or ")}.`;
  const claims = origins.map(describeOrigin).join(" and ");
  return new RegistryConflictError(`${noun} ${quote(name)} is claimed twice: ${claims}. ${advice}`, origins);
}

/** The error for a name that nobody answers for: what was probably meant, and what stands in the way. */
export function notFoundError(
  { noun, group }: Kind,
  { package: owner, name }: Reference,
  entries: readonly RegistryEntry[],
  found: Discovered,
  unmetPin?: string,
): RegistryNotFoundError {
  const asked = owner === undefined ? name : `${owner}/${name}`;
  const spellings = entries.flatMap((entry) =>
    owner === undefined ? [entry.name, ...entry.aliases] : (entry.qualifiedName ?? []),
  );
  const advice = found.problems
    .filter(({ components, package: broken }) =>
      components === undefined
        ? broken !== undefined && (owner === undefined || owner === broken)
        : components.some((one) => one.group === group && one.name.trim().toLowerCase() === name),
    )
    .map(({ message }) => `Problem: ${message}`);
  if (found.off !== undefined) advice.push(`No package was looked at: ${found.off}.`);
  else if (found.root === undefined)
    advice.push("No package was looked at: there is no package.json at or above the working directory.");
  else if (owner !== undefined && !found.packages.some((plugin) => plugin.name === owner))
    advice.push(
      `${quote(owner)} is none of the plugins that ${join(found.root, "package.json")} depends on directly.`,
    );
  advice.push(
    `To add one: install a package that declares it under "codexMl" → "${group}" in its package.json ` +
      `(as a direct dependency of the project), or register it in the program: register(${quote(name)}, factory).`,
  );
  return new RegistryNotFoundError({
    problem: unmetPin ?? `There is no ${noun} ${quote(asked)}.`,
    noun,
    closest: unmetPin === undefined ? withoutAliases(closestNames(asked, spellings), entries) : [],
    names: [...new Set(entries.map((entry) => entry.name))],
    advice,
  });
}

/** An alias of a component that is offered by its name says nothing new. */
function withoutAliases(names: readonly string[], entries: readonly RegistryEntry[]): string[] {
  const isCovered = (spelling: string) =>
    entries.some(({ name, aliases }) => aliases.includes(spelling) && names.includes(name));
  return names.filter((spelling) => !isCovered(spelling));
}
