// Everything that must hold before a change lands: lint, types, tests, builds, package checks.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, root, run, tool } from "./workspace.mjs";

ensureInstalled();
const started = Date.now();
const report = join(root, "node_modules", ".fengni-test-report.json");
run(process.execPath, ["scripts/check.mjs"]);
ensureBuilt();
run(process.execPath, ["scripts/test-packages.mjs"]);
run(tool("vitest"), ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]);

const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
console.log(`Lint, types, package checks and tests passed in ${Math.round((Date.now() - started) / 1000)} s.`);
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
if (numPassedTests === 0) process.exit(1);
