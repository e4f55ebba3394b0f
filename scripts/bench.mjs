// Comparisons with peers and with the raw primitives, on the built packages: npm run bench -- [--json] [NAME ...]
import { ensureBuilt, run } from "./workspace.mjs";

const write = console.log;
console.log = console.error;
ensureBuilt();
console.log = write;
run(process.execPath, ["--expose-gc", "--import", "tsx", "bench/main.ts", ...process.argv.slice(2)]);
