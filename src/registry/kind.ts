import type { Factory } from "./component.ts";
import type { Origin } from "./origin.ts";

/** One kind of component: what a registry of them has to know. */
export interface RegistryKind<Component> {
  /** Key of the kind, as in pins: `metrics`. */
  readonly kind: string;
  /** What one is called in messages: `metric`. */
  readonly noun: string;
  /** Group under which packages declare them: `codex_ml.metrics`. */
  readonly group: string;
  /** Holds a built component against the contract: what was expected, when it breaks it. */
  check(value: unknown): string | undefined;
  readonly builtins: Readonly<Record<string, Builtin<Component>>>;
}

/** A component of our own, imported when somebody asks for it. */
export interface Builtin<Component> {
  load(): Promise<Factory<Component>>;
  readonly aliases?: readonly string[];
  readonly description?: string;
}

/** What a registry tells of one registration. */
export interface RegistryEntry {
  readonly name: string;
  /** `package/name`: means this one and no other, whoever else claims the name. */
  readonly qualifiedName: string | undefined;
  readonly aliases: readonly string[];
  readonly description: string | undefined;
  readonly origin: Origin;
}
