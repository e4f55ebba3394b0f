// The fengni command from the workspace: npm run --silent fengni -- ARGS
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt, root } from "./workspace.mjs";

ensureBuilt();

// npm runs scripts in the workspace's folder, and says where it was called.
const cwd = (process.env.npm_lifecycle_event === "fengni" && process.env.INIT_CWD) || process.cwd();
const child = spawn(process.execPath, [join(root, "packages/cli/dist/main.js"), ...process.argv.slice(2)], {
  cwd,
  stdio: "inherit",
});
// A signal that reaches only this process is the command's to handle: it cleans up, and this process ends as it does.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`fengni: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
