// Finds a Chromium, or installs Debian's, and starts it for tests. It must not know what is tested.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

/** The sandbox needs user namespaces, which containers seldom grant; only our own pages are opened. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, "/usr/bin"].map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function find() {
  for (const name of NAMES) {
    const path = onPath(name);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The path of a Chromium that is there: CHROMIUM_PATH, else one on PATH; undefined where there is none. Installs nothing. */
export function installedChromium() {
  const given = process.env.CHROMIUM_PATH;
  return given !== undefined && existsSync(given) ? given : find();
}

/**
 * The path of a Chromium: CHROMIUM_PATH, else one on PATH, else Debian's own package, which root installs.
 * @param say - takes what is being done, as text
 * @throws when there is none, with what to do
 */
export function findChromium(say) {
  const given = process.env.CHROMIUM_PATH;
  if (given !== undefined && given !== "") {
    if (existsSync(given)) return given;
    throw new Error(`CHROMIUM_PATH is ${given}, which does not exist`);
  }
  const found = find();
  if (found !== undefined) return found;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
      say(`apt-get ${args.join(" ")} ...`);
      const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
      const { error, status, stdout, stderr } = spawnSync("apt-get", args, { env, encoding: "utf8" });
      if (status !== 0) throw new Error(`apt-get ${args[0]} failed: ${error?.message ?? `${stdout}\n${stderr}`}`);
    }
    const installed = find();
    if (installed !== undefined) return installed;
  }
  throw new Error("no Chromium: set CHROMIUM_PATH, or install it (Debian: apt-get install chromium, as root)");
}

/** Starts it without a window, with a new profile that is deleted when it is closed. */
export function startChromium(executablePath, timeoutMs) {
  return chromium.launch({ executablePath, args: FLAGS, headless: true, timeout: timeoutMs });
}
