// Format, lint, types, dead exports and dependencies.
import { ensureInstalled, packages, run, tool } from "./workspace.mjs";

ensureInstalled();
run(tool("biome"), ["check", "--error-on-warnings", "."]);
for (const name of packages) run(tool("tsc"), ["-p", `packages/${name}/tsconfig.json`]);
run(tool("tsc"), ["-p", "tsconfig.json"]);
run(tool("knip"), ["--no-progress"]);
