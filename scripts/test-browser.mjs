// Runs the vectors and the message format in headless Chromium, from a bundle of the built packages that has no shim for Node.
// With --source it takes the packages' sources as they are, and neither installs nor builds: for work on them.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, root, tool } from "./workspace.mjs";

/** For everything in the browser. It takes well under a minute on two cores that are idle. */
const TIMEOUT_MS = 180_000;
const CLOSING_MS = 15_000;

const args = process.argv.slice(2);
const fromSource = args.includes("--source");
if (args.some((arg) => arg !== "--source")) {
  console.error("usage: test-browser.mjs [--source]");
  process.exit(2);
}
const started = Date.now();
if (!fromSource) ensureBuilt();

// Only now: what these import may just have been installed.
const { findChromium, startChromium } = await import("../test/browser/chromium.mjs");
const { bundle, serve } = await import("../test/browser/serve.mjs");

/** What is wrong with the run as a whole, beside the cases that failed. */
const complaints = [];
const rows = [];

function tell(row) {
  rows.push(row);
  const { file, implementation, passed, outOfScope, failures, milliseconds } = row;
  const counts = [passed, outOfScope, failures.length].map((count) => String(count).padStart(7));
  console.log(
    `${file.padEnd(52)} ${implementation.padEnd(13)}${counts.join("")}${`${Math.round(milliseconds)} ms`.padStart(10)}`,
  );
  for (const failure of failures.slice(0, 20)) console.log(`  FAILED ${failure}`);
  if (failures.length > 20) console.log(`  ... and ${failures.length - 20} more`);
}

/** Opens the page with everything that it may complain about listened to. */
async function open(context, url) {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console error: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error in the page: ${error.message}`));
  page.on("crash", () => complaints.push("the page crashed"));
  page.on("requestfailed", (request) => complaints.push(`request failed: ${request.url()}`));
  await page.exposeFunction("fengniEmit", tell);
  await page.goto(url);
  return page;
}

async function runSuite(browser, url) {
  const context = await browser.newContext();
  const first = await open(context, url);
  const groups = await first.evaluate("globalThis.fengniGroups");
  // Each group in a page, and so in a process, of its own: on two cores they take half the time.
  const runs = groups.map(async (group, index) => {
    const page = index === 0 ? first : await open(context, url);
    await page.evaluate(`globalThis.fengniRun(${JSON.stringify(group)})`);
  });
  await Promise.all(runs);
  return first.evaluate("globalThis.fengniReport()");
}

function timeLimit() {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  });
  return { limit, clear: () => clearTimeout(timer) };
}

function printReport(report) {
  console.log("\nChosen in this browser:");
  for (const { primitive, chosen, available, reason } of report) {
    console.log(`  ${primitive.padEnd(20)} ${chosen.padEnd(13)} of ${available.join(", ")}: ${reason}`);
  }
}

/** A file that nobody runs is as bad as a case that fails. */
function checkEveryFileRan() {
  const ran = new Set(rows.map(({ file }) => file.split(" ")[0]));
  for (const folder of ["gm", "wycheproof"]) {
    for (const name of readdirSync(join(root, "vectors", folder))) {
      const file = `${folder}/${name}`;
      if (name.endsWith(".json") && !ran.has(file)) complaints.push(`vectors/${file} was not run`);
    }
  }
}

/** The emulator's console has tests of its own, which run on the sources and only where there is a Chromium. */
function testConsole(path) {
  const args = ["run", "packages/emulator/test/console-browser.test.ts"];
  const env = { ...process.env, CHROMIUM_PATH: path };
  const { status } = spawnSync(tool("vitest"), args, { cwd: root, stdio: "inherit", env });
  if (status !== 0) complaints.push("the console's tests failed");
}

const closers = [];
let clear = () => {};
try {
  const path = findChromium((text) => console.log(text));
  const { script, bytes } = await bundle(root, fromSource);
  const server = await serve(root, script);
  closers.push(server.close);
  const browser = await startChromium(path, TIMEOUT_MS);
  closers.unshift(() => browser.close());
  console.log(`Chromium ${browser.version()}, a bundle of ${Math.round(bytes / 1024)} KiB from ${sourceName()}\n`);
  console.log(`${"file".padEnd(52)} ${"by".padEnd(13)} passed    out failed      time`);
  const timer = timeLimit();
  clear = timer.clear;
  printReport(await Promise.race([runSuite(browser, server.url), timer.limit]));
  checkEveryFileRan();
  testConsole(path);
} catch (error) {
  complaints.push(error instanceof Error ? error.message : String(error));
} finally {
  clear();
  for (const close of closers) {
    try {
      await Promise.race([close(), new Promise((resolve) => setTimeout(resolve, CLOSING_MS))]);
    } catch (error) {
      complaints.push(`closing: ${error.message}`);
    }
  }
}

function sourceName() {
  return fromSource ? "src" : "dist";
}

const sum = (count) => rows.reduce((all, row) => all + count(row), 0);
const passed = sum((row) => row.passed);
const outOfScope = sum((row) => row.outOfScope);
const failed = sum((row) => row.failures.length) + complaints.length;
for (const complaint of complaints) console.log(`FAILED ${complaint}`);
console.log(
  `\n${outOfScope} cases ask for what is not offered: each was refused with its typed error, or done without that.`,
);
console.log(`Finished in ${Math.round((Date.now() - started) / 1000)} s.`);
console.log(`${passed} passed, ${failed} failed`);
// Not left to the event loop: a browser that could not be closed is killed at exit, and must not keep this process waiting.
process.exit(failed > 0 || passed === 0 ? 1 : 0);
