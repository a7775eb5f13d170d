import { join } from "node:path";
import { closestNames, type Discovered, explainLeftOut, quote, RegistryError } from "../packages/index.ts";
import type { Entry } from "./entry.ts";

/** Nothing answers for the name. Says what was probably meant, what stands in the way, and what to do. */
export class RegistryNotFoundError extends RegistryError {
  /** Names that were probably meant, best first. */
  readonly closest: readonly string[];
  /** Every name of the registry. */
  readonly names: readonly string[];

  constructor(
    { noun, group }: { readonly noun: string; readonly group: string },
    [name, owner]: readonly [name: string, owner?: string],
    entries: readonly Entry<unknown>[],
    found: Discovered,
    unmetPin: string | undefined,
  ) {
    const { problems, off, root, packages, leftOut } = found;
    const names = [...new Set(entries.map((entry) => entry.name))].sort();
    const asked = owner === undefined ? name : `${owner}/${name}`;
    // An alias of a component that is offered by its name would say nothing new.
    const spellings =
      owner === undefined
        ? [names, entries.flatMap((entry) => [...entry.aliases])]
        : [entries.map((entry) => `${entry.origin.package}/${entry.name}`)];
    const near = spellings.map((some) => closestNames(asked, some)).find((some) => some.length > 0);
    const closest = unmetPin === undefined ? (near ?? []) : [];
    const meant = closest.length === 0 ? "" : ` Did you mean ${closest.map(quote).join(" or ")}?`;
    const message = [
      (unmetPin ?? `There is no ${noun} ${quote(asked)}.`) + meant,
      names.length === 0 ? `There are no ${noun}s yet.` : `Known ${noun}s: ${names.join(", ")}.`,
    ];
    for (const { components, package: broken, message: problem } of problems) {
      const isBroken = components === undefined && broken !== undefined && (owner ?? broken) === broken;
      const isIt = components?.some((one) => one.group === group && one.name.trim().toLowerCase() === name);
      if (isBroken || isIt) message.push(`Problem: ${problem}`);
    }
    message.push(...explainLeftOut(found, group, name, owner));
    if (off !== undefined) message.push(`No package was looked at: ${off}.`);
    else if (root === undefined)
      message.push("No package was looked at: there is no package.json at or above the working directory.");
    else if (owner !== undefined && !leftOut.has(owner) && !packages.some((plugin) => plugin.name === owner))
      message.push(
        `${quote(owner)} is none of the plugins that ${join(root, "package.json")} depends on directly.`,
      );
    message.push(
      `To add one: install a package that declares it under "codexMl" → "${group}" in its package.json (as a direct ` +
        `dependency of the project), or register it in the program: register${functionName(noun)}(${quote(name)}, factory).`,
    );
    super("REGISTRY_NOT_FOUND", message.join("\n"));
    this.closest = closest;
    this.names = names;
  }
}

/** `DataLoader` of `data loader`, as in `registerDataLoader`. */
function functionName(noun: string): string {
  return noun.replaceAll(/(?:^| )(\w)/g, (_, letter: string) => letter.toUpperCase());
}
