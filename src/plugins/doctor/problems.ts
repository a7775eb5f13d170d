import { type PluginProblem, packageLabel, quote } from "../../packages/index.ts";
import { describeOrigin, type Registry, RegistryConflictError } from "../../registry/index.ts";
import { type AnyRegistries, componentLabel, type Finding } from "./finding.ts";

/** What the registries list as problems, each with what to do about it. */
export function problemFindings(all: AnyRegistries, ownManifest: string | undefined): Finding[] {
  // Problems of a whole package are listed by every registry.
  const problems = new Map(
    all.flatMap((registry) => registry.problems().map((problem) => [problem.message, { problem, registry }])),
  );
  return [...problems.values()].map(({ problem, registry }) => {
    const { code, package: owner, version, location, components } = problem;
    const [component, another] = components ?? [];
    const isOwn = location === ownManifest;
    return {
      code,
      severity: "error",
      package: owner,
      version,
      component: component && another === undefined ? componentLabel(component, all) : undefined,
      location,
      ...(code === "NAME_CONFLICT" && component !== undefined
        ? conflict(registry, component.name)
        : { message: withoutLabel(problem), fix: fixOf(problem, isOwn) }),
    };
  });
}

/** The finding has the package beside the message. */
function withoutLabel({ package: owner, version, message }: PluginProblem): string {
  const label = owner === undefined ? "" : `${packageLabel(owner, version)}: `;
  return message.startsWith(label) ? message.slice(label.length) : message;
}

function fixOf({ code, package: owner, location }: PluginProblem, isOwn: boolean): string {
  const manifest = isOwn ? "package.json" : location;
  const renewed = `npm install ${owner}@latest; if that does not help, tell its authors (npm bugs ${owner})`;
  switch (code) {
    case "ENVIRONMENT_UNKNOWN":
      return 'set CODEX_ML_PLUGINS to "off" or "auto", or unset it';
    case "LISTED_NOT_DEPENDED_ON":
      return `install that package (npm install <name>), or take it off the list "plugins"`;
    case "MANIFEST_INVALID":
      return isOwn ? `correct the field "codexMl" in ${manifest}` : renewed;
    case "MANIFEST_UNREADABLE":
      return owner === undefined ? `correct ${location}` : renewed;
    case "NAME_CONFLICT":
      return "choose one by a pin";
    case "NOT_INSTALLED":
      return `npm install, or take ${quote(owner)} out of ${location}`;
    case "PEER_RANGE_UNMET":
      return isOwn
        ? `in "peerDependencies", give the range of codex-ml that the package is tested with`
        : `npm install ${owner}@latest for one that is made for this codex-ml, or install the codex-ml that it needs`;
    case "PIN_UNMET":
      return 'in "pins", name a package that declares the component and is a direct dependency, or delete the pin';
    case "SECOND_COPY":
      return `npm dedupe ${owner}, after making all that depend on it agree on one version`;
    case "TARGET_NOT_FOUND":
      return isOwn
        ? `build the package if its files are built; else name the subpath in "exports" of ${manifest}, or correct the target`
        : renewed;
  }
}

function conflict(registry: Registry<unknown>, name: string): { message: string; fix: string } {
  const { kind, noun } = registry.kind;
  try {
    registry.inspect(name);
  } catch (error) {
    if (error instanceof RegistryConflictError) {
      const [first = "", ...others] = [
        ...new Set(error.origins.flatMap(({ package: owner }) => owner ?? [])),
      ];
      const pin = `"codexMl": { "pins": { ${quote(`${kind}/${name}`)}: ${quote(first)} } }`;
      const full = [first, ...others].map((owner) => quote(`${owner}/${name}`)).join(" or ");
      return {
        message: `${noun} ${quote(name)} is claimed twice: ${error.origins.map(describeOrigin).join(" and ")}`,
        fix: `choose one by a pin in the project's package.json, ${pin}, or ask for ${full}`,
      };
    }
  }
  throw new Error(`${noun} ${quote(name)} is listed as a conflict, and asking for it is none`);
}

/** Components whose name means something else, unless a pin says so: that somebody knows of. */
export function shadowFindings(all: AnyRegistries, ownManifest: string): Finding[] {
  return all.flatMap((registry) => {
    const { kind, noun } = registry.kind;
    const { pins } = registry.discovery.found;
    return registry.entries().flatMap(({ name: main, aliases, qualifiedName, origin }) => {
      if (origin.kind !== "entry-point") return [];
      return [main, ...aliases].flatMap((name): Finding[] => {
        const answer = pins.has(`${kind}/${name}`) ? undefined : answering(registry, name);
        if (answer === undefined || answer.qualifiedName === qualifiedName) return [];
        const { package: owner, version, location } = origin;
        const key = `${kind}/${name}`;
        const rename = `rename it; until then it is reached as ${quote(qualifiedName)} only`;
        const pin = `write ${quote(qualifiedName)}, or pin it: "codexMl": { "pins": { ${quote(key)}: ${quote(owner)} } }`;
        return [
          {
            code: "SHADOWED",
            severity: "warning",
            package: owner,
            version,
            component: `${kind}/${main}`,
            location,
            message: `${noun} ${quote(name)} means another one: ${describeOrigin(answer.origin)}`,
            fix: location === ownManifest ? rename : pin,
          },
        ];
      });
    });
  });
}

function answering(registry: Registry<unknown>, name: string) {
  try {
    return registry.inspect(name);
  } catch {
    return undefined; // A conflict or an unmet pin: a problem of its own.
  }
}
