// Builds what is needed and runs the smoke test against the real service: node scripts/smoke-remote.mjs --help
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt, root } from "./workspace.mjs";

ensureBuilt();

const script = join(root, "packages/backend-remote/scripts/smoke.mjs");
const child = spawn(process.execPath, [script, ...process.argv.slice(2)], { stdio: "inherit" });
// A signal is the child's to handle: it takes away the keys that it made, and this process ends as it does.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(error.message);
  process.exitCode = 3;
});
child.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 3) : 3;
});
