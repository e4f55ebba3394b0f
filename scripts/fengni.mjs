// The fengni command from the workspace: npm run --silent fengni -- ARGS
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt, root } from "./workspace.mjs";

// Whatever install and build print must not mix with the command's own output.
const write = console.log;
console.log = console.error;
ensureBuilt();
console.log = write;

const cwd = process.env.INIT_CWD ?? process.cwd();
const result = spawnSync(process.execPath, [join(root, "packages/cli/dist/main.js"), ...process.argv.slice(2)], {
  cwd,
  stdio: "inherit",
});
if (result.error) throw result.error;
if (result.signal) process.kill(process.pid, result.signal);
process.exit(result.status ?? 1);
