/** It has no types of its own; these are of what is asked of it here. */
declare module "npm-packlist" {
  /** The paths that npm would publish, relative to `path`, with `/`. */
  export default function packlist(tree: {
    path: string;
    package: Readonly<Record<string, unknown>>;
    isProjectRoot: true;
    /** Would give the bundled dependencies. */
    edgesOut: ReadonlyMap<string, unknown>;
  }): Promise<string[]>;
}
