import { quote } from "./display.ts";

/** Everything a registry throws. `code` is stable; messages are for people and may change. */
export class RegistryError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A string that cannot be a name. */
export class RegistryNameError extends RegistryError {
  constructor(given: unknown, problem: string) {
    const rule =
      "Names are letters, digits and @ : . _ - (case does not matter), beginning with a letter or digit.";
    super("REGISTRY_NAME_INVALID", `${quote(given)} cannot name a component: ${problem}. ${rule}`);
  }
}
