// Seals and opens a million small messages of a thousand tenants, in three ways, and prints what each cost in calls of the key
// provider; watches the heap; and looks for plaintext data keys in what the process leaves behind after close().
//   node scripts/soak.mjs [--messages 1000000] [--tenants 1000] [--modes none,cache,branch]
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dataKeyOf } from "./soak-keys.mjs";
import { ensureBuilt, root } from "./workspace.mjs";

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000000" },
    tenants: { type: "string", default: "1000" },
    modes: { type: "string", default: "none,cache,branch" },
  },
});
ensureBuilt();
let failed = false;
for (const mode of values.modes.split(",")) {
  const report = await soak(mode);
  console.log(
    [
      `${mode}: ${report.messages} messages of ${report.tenants} tenants sealed and opened in ${report.seconds.toFixed(0)} s`,
      `  provider calls: ${report.sealCalls} to seal, ${report.openCalls} to open`,
      `  heap after collection, MiB: ${report.heap.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(", ")}`,
      `  data keys that were in use: ${report.keys}; found in the heap snapshot after close(): ${report.inSnapshot}; in the memory of the process: ${report.inMemory ?? "not looked at"}`,
      `  control, a key that is held on purpose: ${report.control}`,
    ].join("\n"),
  );
  const growth = report.heap.at(-1) - report.heap[Math.min(1, report.heap.length - 1)];
  if (growth > 8 * 2 ** 20) failed = say(`the heap grew by ${(growth / 2 ** 20).toFixed(1)} MiB`);
  if (report.inSnapshot > 0 || report.inMemory > 0) failed = say("data keys were left behind");
  if (report.control !== "found") failed = say("the search does not find what is there");
}
process.exitCode = failed ? 1 : 0;

function say(what) {
  console.log(`  FAILED: ${what}`);
  return true;
}

async function soak(mode) {
  const snapshot = join(tmpdir(), `fengni-soak-${process.pid}-${mode}.heapsnapshot`);
  const child = spawn(
    process.execPath,
    ["--expose-gc", join(root, "scripts/soak-child.mjs"), mode, values.messages, values.tenants, snapshot],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code));
  });
  try {
    const report = await new Promise((resolve, reject) => {
      child.on("message", resolve);
      ended.then((code) => reject(new Error(`the child ended with ${code}`)), reject);
    });
    const needles = new Map();
    for (let serial = 0; serial < report.keys; serial++) addNeedle(needles, dataKeyOf(serial), serial);
    addNeedle(needles, dataKeyOf(report.controlSerial), "control");
    const inMemory = process.platform === "linux" ? hitsInMemory(child.pid, needles) : undefined;
    const text = readFileSync(snapshot, "latin1");
    const inSnapshot = writtenIn(text, report.keys);
    const control = inMemory === undefined ? "found" : inMemory.delete("control") ? "found" : "not found";
    return { ...report, inSnapshot, inMemory: inMemory?.size, control };
  } finally {
    child.kill();
    await ended.catch(() => {});
    rmSync(snapshot, { force: true });
  }
}

/** A snapshot holds texts, not buffers: a key would be there in one of its written forms. Says how many are. */
function writtenIn(text, keys) {
  const found = new Set();
  const forms = [
    { run: /[0-9a-f]{64,}/g, length: 64, of: (key) => Buffer.from(key).toString("hex") },
    { run: /[A-Za-z0-9+/]{43,}/g, length: 43, of: (key) => Buffer.from(key).toString("base64").slice(0, 43) },
  ];
  for (const { run, length, of } of forms) {
    const serials = new Map();
    for (let serial = 0; serial < keys; serial++) serials.set(of(dataKeyOf(serial)), serial);
    for (const [match] of text.matchAll(run)) {
      for (let at = 0; at + length <= match.length; at++) {
        const serial = serials.get(match.slice(at, at + length));
        if (serial !== undefined) found.add(serial);
      }
    }
  }
  return found.size;
}

/** Keys by their first four bytes, so that gigabytes can be searched for thousands of them in one pass. */
function addNeedle(needles, key, name) {
  const bytes = Buffer.from(key);
  const prefix = bytes.readUInt32LE(0);
  needles.set(prefix, [...(needles.get(prefix) ?? []), { bytes, name }]);
}

function hitsInMemory(pid, needles) {
  const found = new Set();
  const memory = openSync(`/proc/${pid}/mem`, "r");
  // A filter of 2^20 bits keeps the map out of the inner loop.
  const filter = new Uint8Array(2 ** 20);
  for (const prefix of needles.keys()) filter[prefix & 0xfffff] = 1;
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
      const [, from, to, access, rest] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)(.*)$/.exec(line) ?? [];
      if (from === undefined || !access.startsWith("rw") || /\/dev\//.test(rest)) continue;
      scan(memory, Number.parseInt(from, 16), Number.parseInt(to, 16));
    }
  } finally {
    closeSync(memory);
  }
  return found;

  function scan(file, start, end) {
    const step = 2 ** 24;
    const buffer = Buffer.alloc(step + 32);
    for (let at = start; at < end; at += step) {
      let length = 0;
      try {
        length = readSync(file, buffer, 0, Math.min(step + 32, end - at), at);
      } catch {
        continue; // not backed by memory
      }
      const words = new DataView(buffer.buffer, buffer.byteOffset, length);
      for (let i = 0; i + 32 <= length; i++) {
        const prefix = words.getUint32(i, true);
        if (filter[prefix & 0xfffff] === 0) continue;
        for (const { bytes, name } of needles.get(prefix) ?? []) {
          if (bytes.equals(buffer.subarray(i, i + 32))) found.add(name);
        }
      }
    }
  }
}
