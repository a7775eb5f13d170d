import type { PackageJson, PluginProblemCode } from "../../packages/index.ts";
import type { Registry } from "../../registry/index.ts";

/** What kind of finding it is. Stable, unlike the messages. */
export type FindingCode =
  | PluginProblemCode
  | "CODEX_ML_COPIES"
  | "CODEX_ML_IN_DEPENDENCIES"
  | "CODEX_ML_NOT_FOUND"
  | "COMPONENTS_UNDECLARED"
  | "CONTRACT_BROKEN"
  | "DEPENDENCY_UNDECLARED"
  | "DESCRIPTION_MISSING"
  | "ENGINE_UNMET"
  | "FACTORY_FAILED"
  | "FIELD_MISSPELT"
  | "FILES_INVALID"
  | "FILE_NOT_PUBLISHED"
  | "KEYWORD_MISSING"
  | "LICENSE_MISSING"
  | "LOAD_FAILED"
  | "NAME_NOT_NORMAL"
  | "NO_PROJECT"
  | "NOT_A_FACTORY"
  | "OPTIONS_UNDESCRIBED"
  | "PACKAGE_JSON_HIDDEN"
  | "PACKAGE_UNNAMED"
  | "PEER_MISSING"
  | "PEER_RANGE_OPEN"
  | "PLUGINS_LISTED"
  | "PLUGINS_OFF"
  | "PRIVATE"
  | "README_MISSING"
  | "SHADOWED"
  // What publint finds, under its own code.
  | `PUBLINT_${string}`;

/** One thing that the doctor has to say. */
export interface Finding {
  readonly code: FindingCode;
  /** An error breaks something or will; a warning may surprise somebody; a note is only worth knowing. */
  readonly severity: "error" | "warning" | "note";
  readonly package?: string | undefined;
  readonly version?: string | undefined;
  /** `metrics/toy_metric`, where one component is concerned. */
  readonly component?: string | undefined;
  /** Path of the file in question. */
  readonly location?: string | undefined;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** The package that is being worked on: the project, which may be a plugin itself. */
export interface OwnPackage {
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly directory: string;
  /** Path of its `package.json`, and what is in it. */
  readonly location: string;
  readonly json: PackageJson;
}

/** The registries of all kinds, in the order in which they are told of. */
export type AnyRegistries = readonly Registry<unknown>[];

/** `metrics/toy_metric`; the kind stands in for a group that is none. */
export function componentLabel(
  { group, name }: { readonly group: string; readonly name: string },
  all: AnyRegistries,
): string {
  const kind = all.find((registry) => registry.kind.group === group)?.kind.kind ?? group;
  return `${kind}/${name.trim()}`;
}

/** Whom a finding of one's own package concerns. */
export function about({ name, version, location }: OwnPackage) {
  return { package: name, version, location } as const;
}
