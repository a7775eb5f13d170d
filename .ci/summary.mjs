// Prints vitest's counts as one line. A suite that failed to load has no tests of its own: it counts as one that failed.
import { readFileSync } from "node:fs";

try {
  const report = JSON.parse(readFileSync(".vitest-report.json", "utf8"));
  const broken = report.testResults.filter((suite) => suite.status === "failed" && suite.assertionResults.length === 0).length;
  const failed = report.numFailedTests + broken;
  console.log(`${report.numPassedTests} passed, ${failed} failed`);
  process.exitCode = failed === 0 && report.numPassedTests > 0 ? 0 : 1;
} catch (error) {
  console.error(`no test report: ${error.message}`);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
}
