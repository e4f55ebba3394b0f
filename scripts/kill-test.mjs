// Kills processes that write one key store file, and looks whether anything that they were told is done was lost:
//   node scripts/kill-test.mjs [--rounds 500] [--seed N]
// Two processes write at any time. Each tells what it is about to do, and then that it is done, on a line of its own; it is killed
// with SIGKILL at a random moment. Its keys are then checked in a store that is opened anew, while the other goes on or was killed
// with it; in the end all keys of all processes are. The exit code is 1 when anything was lost.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ensureInstalled, root } from "./workspace.mjs";

const SELF = fileURLToPath(import.meta.url);
const ROOT_KEY = new Uint8Array(32).fill(0x21);
const WRITERS = 2;
const MAX_AT_ONCE = 4;
const LONGEST_LIFE_MS = 60;

/** Whole numbers below a bound, the same for the same seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  return (bound) => {
    // A step of xorshift, which is enough to choose by.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

function plaintextOf(keyId, version) {
  return new TextEncoder().encode(`${keyId} version ${version}`);
}

// ---- The writer.

async function write(library, path, prefix, seed) {
  const { openFileKeystore } = await import(pathToFileURL(library).href);
  const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
  tell({ ready: true });
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const kms = await openFileKeystore(path, { rootKey: { key: ROOT_KEY } });
  const random = randomOf(seed);
  const keys = [];
  let number = 0;

  async function change(step, make) {
    const id = number++;
    tell({ try: id, ...step });
    const result = await make();
    tell({ done: id, ...(step.operation === "create" ? { keyId: result.keyId } : {}) });
    return result;
  }

  async function seal(key) {
    const { ciphertext } = await kms.encrypt({
      keyId: key.keyId,
      plaintext: plaintextOf(key.keyId, key.versions),
      encryptionContext: { version: String(key.versions) },
    });
    tell({ sealed: key.keyId, version: key.versions, ciphertext: Buffer.from(ciphertext).toString("base64") });
  }

  async function create() {
    const alias = `${prefix}-${number}`;
    const { keyId } = await change({ operation: "create", alias }, () => kms.createKey({ alias }));
    const key = { keyId, versions: 1, isEnabled: true };
    await seal(key);
    keys.push(key);
  }

  async function update(key) {
    const { keyId } = key;
    const choice = key.isEnabled ? random(4) : 0;
    if (choice === 0) {
      const operation = key.isEnabled ? "disable" : "enable";
      await change({ operation, keyId }, () => kms[`${operation}Key`]({ keyId }));
      key.isEnabled = !key.isEnabled;
    } else if (choice === 1) {
      const alias = `${prefix}-${number}`;
      await change({ operation: "alias", keyId, alias }, () => kms.updateAlias({ keyId, alias }));
    } else {
      await change({ operation: "rotate", keyId }, () => kms.rotateKey({ keyId }));
      key.versions++;
      await seal(key);
    }
  }

  for (;;) {
    const steps = [];
    const free = [...keys];
    for (let count = 1 + random(MAX_AT_ONCE); count > 0; count--) {
      const isNew = free.length === 0 || random(3) === 0;
      steps.push(isNew ? create() : update(...free.splice(random(free.length), 1)));
    }
    await Promise.all(steps);
  }
}

// ---- The one who kills and checks.

/** A writer, and what its keys must look like after what it told. */
class Writer {
  keys = new Map();
  pending = new Map();
  acknowledged = 0;
  #rest = "";

  constructor(library, path, prefix, seed) {
    this.child = spawn(process.execPath, [SELF, "--writer", library, path, prefix, String(seed)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.ready = new Promise((resolve) => {
      this.becomeReady = resolve;
    });
    this.ended = new Promise((resolve) => this.child.once("close", (code, signal) => resolve(signal ?? code)));
    this.child.stdin.on("error", () => undefined);
    this.child.stdout.setEncoding("utf8").on("data", (text) => {
      const lines = (this.#rest + text).split("\n");
      // A line that was cut off told nothing.
      this.#rest = lines.pop();
      for (const line of lines) this.#hear(JSON.parse(line));
    });
  }

  #hear(message) {
    if (message.ready) this.becomeReady();
    else if (message.try !== undefined) this.pending.set(message.try, message);
    else if (message.sealed !== undefined) this.keys.get(message.sealed).sealed.push(message);
    else {
      const step = this.pending.get(message.done);
      this.pending.delete(message.done);
      this.acknowledged++;
      if (step.operation === "create") {
        this.keys.set(message.keyId, { alias: step.alias, state: "enabled", versions: 1, sealed: [] });
      } else this.keys.set(step.keyId, afterStep(this.keys.get(step.keyId), step));
    }
  }
}

function afterStep(key, { operation, alias }) {
  if (operation === "rotate") return { ...key, versions: key.versions + 1 };
  if (operation === "alias") return { ...key, alias };
  return { ...key, state: operation === "enable" ? "enabled" : "disabled" };
}

function isSame(key, { alias, state, versions }) {
  return key.alias === alias && key.state === state && key.versions === versions;
}

/** What of a writer's keys is not as it must be, one text each. A step that was not acknowledged may have happened or not. */
async function lossesOf(kms, writer) {
  const losses = [];
  const steps = new Map([...writer.pending.values()].map((step) => [step.keyId, step]));
  for (const [keyId, key] of writer.keys) {
    try {
      const actual = await kms.describeKey({ keyId });
      const step = steps.get(keyId);
      const allowed = step === undefined ? [key] : [key, afterStep(key, step)];
      if (!allowed.some((state) => isSame(state, actual))) {
        const { alias, state, versions } = actual;
        losses.push(`${keyId} is ${JSON.stringify({ alias, state, versions })}, expected ${JSON.stringify(allowed)}`);
      }
      if ((await kms.resolveKeyId(actual.alias)) !== keyId) losses.push(`${keyId} is not found by its alias`);
      Object.assign(key, { alias: actual.alias, state: actual.state, versions: actual.versions });
      await openAll(kms, keyId, key, losses);
    } catch (error) {
      losses.push(`${keyId}: ${error.code} ${error.message}`);
    }
  }
  // From here on what is there is what must stay.
  writer.pending.clear();
  return losses;
}

/** Opens all that a key has sealed. */
async function openAll(kms, keyId, key, losses) {
  if (key.state === "disabled") await kms.enableKey({ keyId });
  for (const { version, ciphertext } of key.sealed) {
    const opened = await kms.decrypt({
      keyId,
      ciphertext: Uint8Array.from(Buffer.from(ciphertext, "base64")),
      encryptionContext: { version: String(version) },
    });
    const isRight = Buffer.from(opened.plaintext).equals(plaintextOf(keyId, version));
    if (!isRight) losses.push(`${keyId} opens something else for version ${version}`);
  }
  if (key.state === "disabled") await kms.disableKey({ keyId });
}

/** One file with all of the library, so that a writer starts in a moment, and always from the sources as they are. */
async function bundle(folder) {
  const { build } = await import("esbuild");
  const outfile = join(folder, "library.mjs");
  await build({
    stdin: { contents: `export * from "@fengni/backend-local";`, resolveDir: root },
    bundle: true,
    outfile,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["@fengni/source"],
    external: ["libsql"],
    logLevel: "error",
  });
  return outfile;
}

async function kill(rounds, seed) {
  if (!existsSync(join(root, "node_modules", "esbuild"))) ensureInstalled();
  // Below the package, so that the library finds its native module.
  const libraryFolder = mkdtempSync(join(root, "packages", "backend-local", "node_modules", ".kill-test-"));
  const folder = mkdtempSync(join(tmpdir(), "fengni-kill-test-"));
  const path = join(folder, "keys");
  const random = randomOf(seed);
  const writers = [];
  const spares = [];
  const past = [];
  const losses = [];
  let kills = 0;
  try {
    const library = await bundle(libraryFolder);
    const { openFileKeystore } = await import(pathToFileURL(library).href);
    const open = (create = false) => openFileKeystore(path, { rootKey: { key: ROOT_KEY }, create });
    await (await open(true)).close();
    let started = 0;
    const fill = async () => {
      while (spares.length < WRITERS) spares.push(new Writer(library, path, `w${started}`, seed + 1 + started++));
      while (writers.length < WRITERS) {
        const writer = spares.shift();
        await writer.ready;
        writer.child.stdin.write("go\n");
        writers.push(writer);
        spares.push(new Writer(library, path, `w${started}`, seed + 1 + started++));
      }
    };

    for (let round = 0; round < rounds; round++) {
      await fill();
      // Not before somebody has begun, or nothing would ever be acknowledged on a slow machine.
      while (writers.every(({ acknowledged }) => acknowledged === 0))
        await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, random(LONGEST_LIFE_MS)));
      const victims = writers.splice(random(writers.length), 1 + random(WRITERS));
      for (const { child } of victims) child.kill("SIGKILL");
      for (const victim of victims) {
        const end = await victim.ended;
        if (end === "SIGKILL") kills++;
        else losses.push(`a writer ended by itself: ${end}`);
      }
      const kms = await open();
      for (const victim of victims) losses.push(...(await lossesOf(kms, victim)));
      await kms.close();
      past.push(...victims);
    }
    for (const { child, ended } of [...writers.splice(0), ...spares.splice(0)]) {
      child.kill("SIGKILL");
      await ended;
    }
    const kms = await open();
    for (const writer of past) losses.push(...(await lossesOf(kms, writer)));
    await kms.close();
  } finally {
    for (const { child } of [...writers, ...spares]) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    rmSync(libraryFolder, { recursive: true, force: true });
  }
  const acknowledged = past.reduce((sum, writer) => sum + writer.acknowledged, 0);
  const keys = past.reduce((sum, writer) => sum + writer.keys.size, 0);
  for (const loss of losses.slice(0, 20)) console.error(loss);
  console.log(
    `rounds ${rounds}, seed ${seed}, kills ${kills}, keys ${keys}, acknowledged changes ${acknowledged}, lost ${losses.length}`,
  );
  return losses.length === 0 && acknowledged > 0;
}

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: "string", default: "500" },
    seed: { type: "string", default: String(1 + (Date.now() % 1_000_000)) },
    writer: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

if (values.writer) {
  const [library, path, prefix, seed] = positionals;
  await write(library, path, prefix, Number(seed));
} else {
  const rounds = Number(values.rounds);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed) || seed < 1) {
    console.error("expected --rounds and --seed to be whole numbers, 1 or more");
    process.exit(2);
  }
  process.exit((await kill(rounds, seed)) ? 0 : 1);
}
