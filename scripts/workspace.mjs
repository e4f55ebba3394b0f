// What every script of the workspace shares: where it is, running a program, installing and building when needed. Plain
// JavaScript without dependencies, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** In the order in which they are built. */
export const packages = ["crypto", "core", "kms-api", "testing", "backend-local", "backend-remote", "emulator", "cli"];

/** Runs a program; ends this process with its exit code when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** What installing and building say goes to standard error: the output of a script is the script's. */
const ASIDE = { stdio: [0, 2, 2] };

/** The path of a tool that the lockfile installed. */
export function tool(name) {
  return join(root, "node_modules", ".bin", name);
}

function hashOf(files) {
  const hash = createHash("sha256").update(process.version);
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** Does `work` unless it was done before from the same inputs. */
function unlessStamped(stamp, inputs, outputs, work) {
  const path = join(root, "node_modules", stamp);
  const hash = hashOf(inputs);
  if (
    existsSync(path) &&
    readFileSync(path, "utf8") === hash &&
    outputs.every((file) => existsSync(join(root, file)))
  ) {
    return;
  }
  work();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, hash);
}

/** Installs the locked dependencies with the pinned pnpm, unless that is done. */
export function ensureInstalled() {
  const manifests = ["package.json", ...packages.map((name) => `packages/${name}/package.json`)];
  unlessStamped(".fengni-installed", ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests], [], () => {
    const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    console.error(`Installing dependencies with ${packageManager} ...`);
    const install = [
      "--yes",
      "--prefer-offline",
      packageManager,
      "install",
      "--frozen-lockfile",
      "--config.confirmModulesPurge=false",
    ];
    run("npx", install, ASIDE);
  });
}

/** Builds every package, unless that is done. */
export function ensureBuilt() {
  ensureInstalled();
  const inputs = packages.flatMap((name) => [
    ...filesBelow(`packages/${name}/src`),
    ...["package.json", "tsup.config.ts", "tsconfig.json", "tsconfig.build.json"].map(
      (file) => `packages/${name}/${file}`,
    ),
  ]);
  const outputs = ["packages/crypto/dist/bytes.js", "packages/core/dist/index.js", "packages/cli/dist/main.js"];
  unlessStamped(".fengni-built", [...inputs, "tsup.base.ts", "tsconfig.base.json", "pnpm-lock.yaml"], outputs, () => {
    console.error("Building packages ...");
    for (const name of packages) run(tool("tsup"), ["--silent"], { ...ASIDE, cwd: join(root, "packages", name) });
  });
}
