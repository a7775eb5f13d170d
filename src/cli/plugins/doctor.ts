import { Command } from "commander";
import { packageLabel } from "../../packages/index.ts";
import type { Finding } from "../../plugins/doctor/finding.ts";
import type { Diagnosis } from "../../plugins/doctor.ts";
import { colorsFor } from "../../tracking/colors.ts";

interface DoctorFlags {
  /** `--load` gives true, `--no-load` false. */
  readonly load?: boolean;
  readonly json?: true;
}

/** `codex-ml plugins doctor`: everything that is or will go wrong, and what to do about it. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description(
      "Say what is or will go wrong with the plugins of this project, and how to mend it. In a plugin package, check that package before it is published.",
    )
    .option("--load", "import the components of all packages, too: this runs their code")
    .option("--no-load", "import no component (default: the project's own)")
    .option("--json", "print JSON on stdout")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml plugins doctor --load\n\nExit codes: 1 when there is an error; warnings and notes leave it at 0.\n",
    )
    .action(async (flags: DoctorFlags) => {
      const { diagnose } = await import("../../plugins/doctor.ts");
      const loading = flags.load === undefined ? "own" : flags.load ? "all" : "none";
      const diagnosis = await withGuests(() => diagnose(loading));
      const hasErrors = count(diagnosis, "error") > 0;
      const text = flags.json
        ? `${JSON.stringify({ ok: !hasErrors, ...diagnosis }, undefined, 2)}\n`
        : report(diagnosis);
      // A component that was imported may keep the process alive: a timer, a server.
      process.stdout.write(text, () => process.exit(hasErrors ? 1 : 0));
    });
}

/** Runs what runs the code of others: it can neither write between our lines nor end us unnoticed with exit code 0. */
async function withGuests<Result>(body: () => Promise<Result>): Promise<Result> {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const ended = () => {
    process.exitCode = 1;
    process.stderr.write(
      "error  a component that was imported ended the process; --no-load leaves them out\n",
    );
  };
  process.once("exit", ended);
  try {
    return await body();
  } finally {
    process.removeListener("exit", ended);
    process.stdout.write = write;
  }
}

function report(diagnosis: Diagnosis): string {
  const colors = colorsFor(process.stdout);
  const { published, findings } = diagnosis;
  const heading =
    published === undefined ? [] : [`${colors.bold(published)} is checked as a package to be published.`, ""];
  return `${[...heading, ...findings.flatMap(lines), summary(diagnosis)].join("\n")}\n`;
}

function lines(finding: Finding): string[] {
  const colors = colorsFor(process.stdout);
  const paint = { error: colors.red, warning: colors.yellow, note: colors.dim }[finding.severity];
  const { package: owner, version, component, location, message, fix, code } = finding;
  const whom = owner === undefined ? location : packageLabel(owner, version);
  const subject = [whom, component].filter((part) => part !== undefined).join(", ");
  const inner = [...(subject === "" ? [] : [message]), ...(fix === undefined ? [] : [`fix: ${fix}`])];
  return [
    `${paint(finding.severity.padEnd(7))}  ${colors.bold(subject === "" ? message : subject)}  ${colors.dim(code)}`,
    ...inner.map((line) => `         ${line.replaceAll("\n", "\n         ")}`),
    "",
  ];
}

function summary(diagnosis: Diagnosis): string {
  const errors = count(diagnosis, "error");
  const warnings = count(diagnosis, "warning");
  const looked = `${plural(diagnosis.plugins, "plugin")}, ${plural(diagnosis.components, "component")}`;
  if (errors + warnings === 0) return `No problem found: ${looked}.`;
  const found = [errors > 0 && plural(errors, "error"), warnings > 0 && plural(warnings, "warning")];
  return `${found.filter((part) => part !== false).join(" and ")} in ${looked}.`;
}

function count({ findings }: Diagnosis, severity: Finding["severity"]): number {
  return findings.filter((finding) => finding.severity === severity).length;
}

function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
