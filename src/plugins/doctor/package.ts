import { Range, valid } from "semver";
import {
  type Declaration,
  isPackageName,
  isRecord,
  normalizeName,
  OWN_NAME,
  ownVersion,
  quote,
  readManifest,
} from "../../packages/index.ts";
import { isPluginByKeyword, misspeltField } from "./dependencies.ts";
import { type AnyRegistries, about, componentLabel, type Finding, type OwnPackage } from "./finding.ts";

type Told = Pick<Finding, "code" | "severity" | "message" | "fix"> & Partial<Finding>;

/** Whether a package declares components, or means to. */
export function isPlugin({ json }: OwnPackage): boolean {
  const fields = Object.keys(isRecord(json.codexMl) ? json.codexMl : {});
  return isPluginByKeyword(json) || fields.some((field) => field !== "plugins" && field !== "pins");
}

/** Whether somebody else is meant to install it. */
export function isForOthers({ json }: OwnPackage): boolean {
  return json.private !== true || isPluginByKeyword(json);
}

/** What every project's `package.json` is looked at for, besides what the registries list. */
export function fieldFindings(own: OwnPackage): Finding[] {
  const misspelt = misspeltField(own.json);
  if (misspelt === undefined) return [];
  return [
    {
      ...about(own),
      code: "FIELD_MISSPELT",
      severity: "error",
      message: `its field ${quote(misspelt)} is not read`,
      fix: misspelt.startsWith("codex_ml.")
        ? `move it into the field "codexMl": { ${quote(misspelt)}: … }`
        : `call it "codexMl"`,
    },
  ];
}

/** What the `package.json` of a plugin lacks for those who will install it. */
export function manifestFindings(own: OwnPackage, all: AnyRegistries): Finding[] {
  const { declarations } = readManifest(own.json.codexMl, () => {});
  return [
    ...identity(own),
    ...peer(own),
    ...forReaders(own),
    ...names(own, all),
    ...declarations.flatMap((declaration) => description(declaration, all)),
  ].map((finding) => ({ ...about(own), ...finding }));
}

function identity({ json }: OwnPackage): Told[] {
  const told: Told[] = [];
  const { name, version } = json;
  const lacking = [
    ...(typeof name === "string" && isPackageName(name) ? [] : ["name"]),
    ...(typeof version === "string" && valid(version) !== null ? [] : ["version"]),
  ];
  if (lacking.length > 0)
    told.push({
      code: "PACKAGE_UNNAMED",
      severity: "error",
      message: `package.json has no valid ${lacking.map(quote).join(" and no valid ")}, so it can neither be published nor named in messages`,
      fix: `add ${lacking.map(quote).join(" and ")} to package.json`,
    });
  if (json.private === true)
    told.push({
      code: "PRIVATE",
      severity: "note",
      message: '"private" is true: npm will refuse to publish it',
      fix: 'delete "private" when it is to be published',
    });
  const { exports } = json;
  const isHidden =
    isRecord(exports) && Object.keys(exports).some((key) => key.startsWith("."))
      ? !("./package.json" in exports) && !("./*" in exports)
      : exports !== undefined && exports !== null;
  if (isHidden)
    told.push({
      code: "PACKAGE_JSON_HIDDEN",
      severity: "warning",
      message:
        '"exports" hides package.json: Codex ML finds it, and other tools that look for plugins do not',
      fix: 'add "./package.json": "./package.json" to "exports"',
    });
  return told;
}

function peer({ json }: OwnPackage): Told[] {
  const told: Told[] = [];
  const range = isRecord(json.peerDependencies) ? json.peerDependencies[OWN_NAME] : undefined;
  const fitting = `"peerDependencies": { ${quote(OWN_NAME)}: ${quote(`^${ownVersion() ?? "0.1.0"}`)} }`;
  if (isRecord(json.dependencies) && OWN_NAME in json.dependencies)
    told.push({
      code: "CODEX_ML_IN_DEPENDENCIES",
      severity: "error",
      message: `${OWN_NAME} is in "dependencies": whoever installs the package can get a second copy of it`,
      fix: `move it: ${fitting}, and have it in "devDependencies" for your tests`,
    });
  if (typeof range !== "string")
    told.push({
      code: "PEER_MISSING",
      severity: "error",
      message: `nothing says which versions of ${OWN_NAME} it is made for`,
      fix: `add ${fitting} to package.json`,
    });
  else if (isOpen(range))
    told.push({
      code: "PEER_RANGE_OPEN",
      severity: "warning",
      message: `its peer range ${quote(range)} promises that it works with every later ${OWN_NAME}`,
      fix: `write ${fitting}`,
    });
  return told;
}

/** Whether a range admits what will break it; one that only a package manager understands does not say. */
function isOpen(range: string): boolean {
  try {
    return new Range(range).test("999999.0.0");
  } catch {
    return false;
  }
}

function forReaders({ json }: OwnPackage): Told[] {
  const told: Told[] = [];
  if (!isPluginByKeyword(json))
    told.push({
      code: "KEYWORD_MISSING",
      severity: "warning",
      message: "nobody who searches for plugins will find it",
      fix: 'add "codex-ml-plugin" to "keywords"; or, if it is for nobody else, "private": true',
    });
  if (typeof json.license !== "string" || json.license === "")
    told.push({
      code: "LICENSE_MISSING",
      severity: "warning",
      message: "package.json names no licence, so nobody may use it",
      fix: 'add "license", for example "Apache-2.0"',
    });
  return told;
}

/** Names are read without case; a name that is written otherwise than it is shown sends people searching. */
function names({ json }: OwnPackage, all: AnyRegistries): Told[] {
  const groups = Object.entries(isRecord(json.codexMl) ? json.codexMl : {}).filter(([group]) =>
    all.some(({ kind }) => kind.group === group),
  );
  return groups.flatMap(([group, entries]) =>
    Object.keys(isRecord(entries) ? entries : {}).flatMap((name): Told[] => {
      const read = normalOf(name);
      if (read === undefined || read === name) return [];
      return [
        {
          code: "NAME_NOT_NORMAL",
          severity: "warning",
          component: componentLabel({ group, name: read }, all),
          message: `it is declared as ${quote(name)}, and listed and recorded as ${quote(read)}`,
          fix: `write ${quote(read)}`,
        },
      ];
    }),
  );
}

function normalOf(name: string): string | undefined {
  try {
    return normalizeName(name);
  } catch {
    return undefined; // Listed among the problems.
  }
}

function description({ group, name, description, target }: Declaration, all: AnyRegistries): Told[] {
  if (description !== undefined && description.trim() !== "") return [];
  const entry = `${quote(name)}: { "target": ${quote(target)}, "description": "…" }`;
  return [
    {
      code: "DESCRIPTION_MISSING",
      severity: "warning",
      component: componentLabel({ group, name }, all),
      message: "codex-ml plugins list has nothing to say about it",
      fix: `describe it in one sentence: ${entry}`,
    },
  ];
}
