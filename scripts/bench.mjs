// Comparisons with peers and with the raw primitives, on the built packages: npm run --silent bench -- [--json] [NAME ...]
import { ensureBuilt, run } from "./workspace.mjs";

ensureBuilt();
run(process.execPath, ["--import", "tsx", "bench/main.ts", ...process.argv.slice(2)]);
