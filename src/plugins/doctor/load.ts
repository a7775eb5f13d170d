import { describeError } from "../../packages/index.ts";
import {
  type Factory,
  type Registry,
  RegistryContractError,
  type RegistryEntry,
  RegistryFactoryError,
  RegistryOptionsError,
} from "../../registry/index.ts";
import type { AnyRegistries, Finding, OwnPackage } from "./finding.ts";

interface LoadOptions {
  /** Which of the declared components. */
  readonly wanted: (entry: RegistryEntry & { readonly kind: string }) => boolean;
  /** The project: its own components are also built, where they can be without options. */
  readonly own: OwnPackage;
}

/** Imports components as a run would, builds one's own, and tells what fails. Runs their code. */
export async function loadFindings(all: AnyRegistries, { wanted, own }: LoadOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const registry of all)
    for (const entry of registry.entries()) {
      const { origin, name } = entry;
      const { kind } = registry.kind;
      if (origin.kind !== "entry-point" || !wanted({ kind, ...entry })) continue;
      const reference = referenceTo(entry, registry);
      if (reference === undefined) continue;
      const isOwn = origin.location === own.location;
      const about = {
        package: origin.package,
        version: origin.version,
        component: `${kind}/${name}`,
        location: origin.location,
      };
      const found = await load(registry, reference, isOwn ? own.directory : undefined);
      findings.push(...found.map((finding) => ({ ...about, ...finding })));
    }
  return findings;
}

/** By what name to ask for this entry and no other: a package without a valid name has no `package/name`. */
function referenceTo(
  { name, qualifiedName }: RegistryEntry,
  registry: Registry<unknown>,
): string | undefined {
  if (qualifiedName !== undefined && registry.has(qualifiedName)) return qualifiedName;
  try {
    return registry.inspect(name).qualifiedName === qualifiedName ? name : undefined;
  } catch {
    return undefined;
  }
}

async function load(
  registry: Registry<unknown>,
  reference: string,
  buildIn: string | undefined,
): Promise<Finding[]> {
  let factory: Factory<unknown>;
  try {
    factory = await registry.get(reference);
  } catch (error) {
    return [notLoaded(error, buildIn !== undefined)];
  }
  if (buildIn === undefined) return [];
  const undescribed: Finding[] =
    typeof factory !== "function"
      ? []
      : [
          {
            code: "OPTIONS_UNDESCRIBED",
            severity: "note",
            message: "it is a function or a class, so nobody but its README can tell which options it takes",
            fix: "define…({ options: schema, create }) describes and checks them; leave it where there is nothing to tell",
          },
        ];
  try {
    // As a run does for a model.
    const options = registry.kind.kind === "models" ? { vocabSize: 256 } : {};
    await inTime(registry.create(reference, options, { directory: buildIn }));
    return undescribed;
  } catch (error) {
    return [...undescribed, ...notBuilt(error, typeof factory === "function")];
  }
}

function notLoaded(error: unknown, isOwn: boolean): Finding {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const { code } = Object(cause) as { code?: unknown };
  if (code === "REGISTRY_FACTORY_TYPE")
    return {
      code: "NOT_A_FACTORY",
      severity: "error",
      message: describeError(cause),
      fix: isOwn
        ? "export a factory under the name in the target, or name another export there"
        : "update it; if that does not help, tell its authors",
    };
  const missing = /Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec(describeError(cause))?.[1];
  return {
    code: "LOAD_FAILED",
    severity: "error",
    message: `it cannot be imported: ${describeError(cause)}`,
    fix:
      code === "ERR_MODULE_NOT_FOUND" && missing !== undefined
        ? `npm install ${missing}${isOwn ? ', and have it in "dependencies" or "peerDependencies"' : ""}`
        : isOwn
          ? "make the module of its target importable by itself: node -e 'import(…)' shows the same error with its stack"
          : "update it; if that does not help, tell its authors",
  };
}

function notBuilt(error: unknown, isUndescribed: boolean): Finding[] {
  // It has options that must be given: nothing can be said of it here, and its own tests give them.
  if (error instanceof RegistryOptionsError) return [];
  if (error instanceof RegistryContractError)
    return [
      {
        code: "CONTRACT_BROKEN",
        severity: "error",
        message: error.message,
        fix: "return what the contract asks for; the checks of codex-ml/testing tell the rest",
      },
    ];
  const cause = error instanceof RegistryFactoryError ? error.cause : error;
  return [
    {
      code: "FACTORY_FAILED",
      severity: isUndescribed ? "warning" : "error",
      message: `it accepts no options, and then fails: ${describeError(cause)}`,
      fix: isUndescribed
        ? "blame what is missing by throwing InvalidOptionError(option, message), or describe the options with a schema"
        : "make the schema demand what is needed, or blame an option by throwing InvalidOptionError(option, message)",
    },
  ];
}

/** Rejects when a build does not settle: as long as an import may take, and never without end. */
async function inTime(building: Promise<unknown>): Promise<void> {
  const seconds = Number(process.env.CODEX_ML_IMPORT_TIMEOUT) || 30;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not been built after ${seconds} s`)), seconds * 1000);
  });
  await Promise.race([building, late]).finally(() => clearTimeout(timer));
}
