// Runs the emulator's tests of the official client by the methods of the official full client, which is installed for it:
//   node scripts/test-full-client.mjs
// It is some 60 MB, and therefore no dependency of the workspace.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, root, run, tool } from "./workspace.mjs";

const VERSION = "4.1.313";

ensureInstalled();
const folder = join(root, ".cache", "full-client");
if (!existsSync(join(folder, "node_modules", "tencentcloud-sdk-nodejs"))) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `tencentcloud-sdk-nodejs@${VERSION}`], {
    cwd: folder,
  });
}
run(tool("vitest"), ["run", "packages/emulator/test/official-client.test.ts"], {
  env: { ...process.env, FENGNI_FULL_CLIENT: folder },
});
