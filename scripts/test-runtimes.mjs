// Runs the test suites on every version of Node that the packages support: 20, 24 and 26. The binaries come from the npm
// registry, as the packages that `node@24` and `node@26` are made of; they are kept in .cache/runtimes.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, root, run } from "./workspace.mjs";

const VERSIONS = { 20: "20.20.2", 24: "24.21.0", 26: "26.10.0" };

const wanted = process.argv.slice(2);
for (const version of wanted) {
  if (!Object.hasOwn(VERSIONS, version)) {
    console.error(`unknown version ${version}: choose among ${Object.keys(VERSIONS).join(", ")}`);
    process.exit(2);
  }
}
ensureInstalled();
const failed = [];
for (const [major, version] of Object.entries(VERSIONS)) {
  if (wanted.length > 0 && !wanted.includes(major)) continue;
  const node = binaryOf(major, version);
  const shown = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim();
  console.log(`\n=== Node ${shown} ===`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { status } = spawnSync(node, [vitest, "run"], { cwd: root, stdio: "inherit" });
  if (status !== 0) failed.push(major);
}
if (failed.length > 0) {
  console.error(`\nfailed on Node ${failed.join(", ")}`);
  process.exit(1);
}

function binaryOf(major, version) {
  if (process.versions.node.split(".")[0] === major) return process.execPath;
  const folder = join(root, ".cache", "runtimes", version);
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const binary = join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(binary)) {
    console.log(`Installing Node ${version} ...`);
    mkdirSync(folder, { recursive: true });
    run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, `${name}@${version}`]);
  }
  return binary;
}
