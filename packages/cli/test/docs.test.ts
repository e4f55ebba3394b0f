// The examples of docs/cli.md, run in order in an empty folder.
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { expect, test } from "vitest";
import { ended, Folder } from "./support.js";

const folder = new Folder();

/** The command in one file: it starts three times as fast as from source. */
async function bundled(): Promise<string> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  mkdirSync(folder.at("built"));
  copyFileSync(`${root}/package.json`, folder.at("package.json"));
  mkdirSync(folder.at("node_modules"));
  symlinkSync(realpathSync(`${root}/../backend-local/node_modules/libsql`), folder.at("node_modules/libsql"));
  await build({
    entry: { main: `${root}/src/main.ts` },
    outDir: folder.at("built"),
    outExtension: () => ({ js: ".mjs" }),
    format: "esm",
    target: "node20",
    // Native code stays a package of its own.
    external: ["libsql"],
    noExternal: [/^(?!libsql$)/],
    config: false,
    silent: true,
    tsconfig: `${root}/tsconfig.build.json`,
    esbuildOptions(options) {
      options.conditions = ["@fengni/source"];
    },
  });
  return folder.at("built/main.mjs");
}

test("every example of docs/cli.md works", async () => {
  const docs = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");
  const blocks = [...docs.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block as string);
  expect(blocks.length).toBeGreaterThan(8);
  mkdirSync(folder.at("bin"));
  mkdirSync(folder.at("work"));
  const main = await bundled();
  chmodSync(folder.write("bin/fengni", `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`), 0o755);
  const env = { PATH: `${folder.at("bin")}:${process.env["PATH"]}` };
  const script = `set -eu\n${blocks.join("\n")}\necho "all done"\n`;
  const { stdout, stderr, exitCode } = await ended(spawn("sh", ["-c", script], { cwd: folder.at("work"), env }));
  expect(stderr).not.toContain("(ERR_");
  expect(exitCode, stderr).toBe(0);
  expect(stdout.toString()).toMatch(/all done\n$/);
});
