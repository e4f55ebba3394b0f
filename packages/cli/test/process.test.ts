// The command as a process: exit codes, pipes, signals, and what is left on the disk after each.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { bytesOf, COMMAND, ended, expectFailure, Folder, start } from "./support.js";

// Starting many processes at once takes a minute on a busy machine.
vi.setConfig({ testTimeout: 600_000 });

const folder = new Folder();
const AES = ["--raw-aes-key", "aes.key", "--namespace", "n", "--name", "k"];
const plaintext = bytesOf(3_000_000);

beforeAll(() => {
  folder.write("aes.key", bytesOf(32));
  folder.write("plain", plaintext);
});

/** A folder with the key for one test, so that tests can run side by side. */
function ownFolder(name: string): string {
  mkdirSync(folder.at(name));
  copyFileSync(folder.at("aes.key"), join(folder.at(name), "aes.key"));
  return folder.at(name);
}

function temporaryFiles(path: string): string[] {
  return readdirSync(path).filter((name) => name.startsWith(".fengni-"));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** An encryption that has written a part of its temporary file and waits for more input. */
async function encrypting(cwd: string, ...options: string[]): Promise<ChildProcess> {
  const child = start(["encrypt", "-", "-o", "target", ...AES, ...options], cwd);
  child.stdin?.on("error", () => {});
  child.stdin?.write(plaintext);
  await until(() => temporaryFiles(cwd).some((name) => statSync(join(cwd, name)).size > 1_000_000));
  return child;
}

test.concurrent("a file there and back: exit code 0", async () => {
  const sealed = await ended(start(["encrypt", "plain", "-o", "message", ...AES], folder.path));
  expect(sealed).toMatchObject({ exitCode: 0, signal: null });
  expect(sealed.stderr).toMatch(/^fengni: encrypted 3,000,000 bytes/);
  const opened = await ended(start(["decrypt", "message", "-o", "opened", ...AES], folder.path));
  expect(opened).toMatchObject({ exitCode: 0, stderr: "" });
  expect(folder.read("opened").equals(plaintext)).toBe(true);
});

test.concurrent("a pipe from one process to the next", async () => {
  const line = [...COMMAND, "encrypt", "-", "-o", "-", "-q", ...AES].map((word) => `'${word}'`).join(" ");
  const back = [...COMMAND, "decrypt", "-", "-o", "-", ...AES].map((word) => `'${word}'`).join(" ");
  const child = spawn("sh", ["-c", `${line} < plain | ${back}`], { cwd: folder.path });
  const { stdout, stderr, exitCode } = await ended(child);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  expect(stdout.equals(plaintext)).toBe(true);
});

test.concurrent("exit code 1 for a failure, 2 for a wrong command line; one line each", async () => {
  const [failed, wrong] = await Promise.all([
    ended(start(["decrypt", "plain", "-o", "never", ...AES], folder.path)),
    ended(start(["encrypt", "plain", "-o", "never"], folder.path)),
  ]);
  expectFailure(failed, 1, "ERR_MESSAGE_UNSUPPORTED");
  expectFailure(wrong, 2, "ERR_USAGE");
  expect(existsSync(folder.at("never"))).toBe(false);
});

describe.concurrent("signals", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`${signal} during an encryption: no target, no temporary file, the process ends by the signal`, async () => {
      const cwd = ownFolder(signal);
      const child = await encrypting(cwd);
      const result = ended(child);
      child.kill(signal);
      expect(await result).toMatchObject({
        signal,
        stderr: `fengni: interrupted by ${signal} (ERR_INTERRUPTED)\n`,
      });
      expect(readdirSync(cwd)).toEqual(["aes.key"]);
    });
  }

  test("SIGINT leaves the file that --force would replace", async () => {
    const cwd = ownFolder("kept");
    copyFileSync(folder.at("plain"), join(cwd, "target"));
    const child = await encrypting(cwd, "--force");
    const result = ended(child);
    child.kill("SIGINT");
    expect((await result).signal).toBe("SIGINT");
    expect(readdirSync(cwd).sort()).toEqual(["aes.key", "target"]);
    expect(statSync(join(cwd, "target")).size).toBe(plaintext.length);
  });

  test("SIGKILL during an encryption: no target; what is left has a name that begins with a dot", async () => {
    const cwd = ownFolder("SIGKILL");
    const child = await encrypting(cwd);
    const result = ended(child);
    child.kill("SIGKILL");
    expect((await result).signal).toBe("SIGKILL");
    expect(readdirSync(cwd).filter((name) => !name.startsWith(".fengni-"))).toEqual(["aes.key"]);
  });

  test("SIGINT while standard output is stalled: the process ends all the same", async () => {
    const child = start(["encrypt", "-", "-o", "-", ...AES], folder.path);
    child.stdin?.on("error", () => {});
    child.stdin?.write(plaintext);
    const stdout = child.stdout as NonNullable<typeof child.stdout>;
    await once(stdout, "readable");
    child.kill("SIGINT");
    const [, signal] = await once(child, "exit");
    expect(signal).toBe("SIGINT");
    stdout.destroy();
  });

  test("SIGTERM while a named pipe has no writer", async () => {
    const cwd = ownFolder("fifo");
    await once(spawn("sh", ["-c", `mkfifo '${join(cwd, "fifo")}'`]), "exit");
    const child = start(["encrypt", "fifo", "-o", "target", ...AES], cwd);
    const result = ended(child);
    // There is nothing to see from outside of a process that waits: it has surely got there after this time.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill("SIGTERM");
    expect((await result).signal).toBe("SIGTERM");
    expect(readdirSync(cwd).sort()).toEqual(["aes.key", "fifo"]);
  });
});

test.concurrent("a reader that goes away: no message, exit code 1", async () => {
  const child = start(["encrypt", "plain", "-o", "-", "--frame-length", "100", ...AES], folder.path);
  child.stdout?.once("data", () => child.stdout?.destroy());
  expect(await ended(child)).toMatchObject({ exitCode: 1, signal: null, stderr: "" });
});

test.concurrent("an input that stays open does not keep inspect alive", async () => {
  const sealed = await ended(start(["encrypt", "aes.key", "-o", "-", "-q", ...AES], folder.path));
  const child = start(["inspect", "-"], folder.path);
  child.stdin?.write(sealed.stdout);
  const result = await ended(child);
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  expect(result.stdout.toString()).toContain('"k" (raw AES)');
});

describe.concurrent("a disk that is full", () => {
  test("standard output", async () => {
    const words = [...COMMAND, "encrypt", "plain", "-o", "-", ...AES].map((word) => `'${word}'`).join(" ");
    const result = await ended(spawn("sh", ["-c", `${words} > /dev/full`], { cwd: folder.path }));
    expectFailure(result, 1, "ERR_OUTPUT");
    expect(result.stderr).toContain("cannot write standard output: no space is left on the device");
  });

  test("a file that may not become as large: no target and no temporary file", async () => {
    const cwd = ownFolder("full");
    const words = [...COMMAND, "encrypt", "../plain", "-o", "target", ...AES].map((word) => `'${word}'`).join(" ");
    // In blocks of 512 bytes: more than tsx writes, less than the message has.
    const result = await ended(spawn("sh", ["-c", `ulimit -f 4000; exec ${words}`], { cwd }));
    expectFailure(result, 1, "ERR_OUTPUT");
    expect(result.stderr).toContain("cannot write target: the file would become larger than is allowed here");
    expect(readdirSync(cwd)).toEqual(["aes.key"]);
  });
});

/** Runs a command on a terminal of its own (util-linux). */
const SCRIPT = "/usr/bin/script";
const hasScript = existsSync(SCRIPT) && process.platform === "linux";

test
  .skipIf(!hasScript)
  .concurrent("a passphrase is asked for on a terminal while standard input is a pipe, and not shown", async () => {
    const cwd = ownFolder("terminal");
    const fengni = COMMAND.map((word) => `'${word}'`).join(" ");
    const line = [
      `${fengni} key create --keystore keys --alias app`,
      `cat aes.key | ${fengni} encrypt - -o target --keystore keys --key app`,
      "stty -a",
    ].join(" && ");
    const child = spawn(SCRIPT, ["-qec", line, "/dev/null"], { cwd });
    let seen = "";
    const answers = [/New passphrase/, /again/, /Passphrase for/];
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (answers[0]?.test(seen) === true) {
        answers.shift();
        child.stdin.write("sesame\r");
      }
    });
    const { stdout, exitCode } = await ended(child);
    const text = stdout.toString();
    expect(exitCode, text).toBe(0);
    expect(text).not.toContain("sesame");
    expect(text).toMatch(/ echo /);
    // SQLite may leave its empty journal beside the key store.
    const names = readdirSync(cwd).filter((name) => !/^keys-(shm|wal)$/.test(name));
    expect(names.sort()).toEqual(["aes.key", "keys", "target"]);
  });

test.skipIf(process.getuid?.() !== 0).concurrent("a folder that another user owns", async () => {
  const cwd = ownFolder("foreign");
  chmodSync(folder.path, 0o755);
  chmodSync(cwd, 0o755);
  const [node, ...words] = COMMAND as [string, ...string[]];
  const argv = [...words, "encrypt", "aes.key", "-o", "target", ...AES];
  const child = spawn(node, argv, { cwd, uid: 65_534, gid: 65_534, env: { TSX_DISABLE_CACHE: "1" } });
  const result = await ended(child);
  expectFailure(result, 1, "ERR_OUTPUT");
  expect(result.stderr).toContain("cannot write target: permission denied");
});
