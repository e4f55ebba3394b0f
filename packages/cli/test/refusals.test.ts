// Wrong inputs: each gives one line, the right exit code, no output file and no temporary file.
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { link } from "node:fs/promises";
import { Readable } from "node:stream";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { bytesOf, Capture, expectFailure, Folder, type RunOptions, run, runWell } from "./support.js";

const folder = new Folder();
const NAMES = ["--namespace", "ns", "--name", "k"];
const AES = ["--raw-aes-key", folder.at("aes.key"), ...NAMES];
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];
const OUTPUT = folder.at("output");
let message: Buffer;
let signed: Buffer;

async function sealed(...options: string[]): Promise<Buffer> {
  const stdin = bytesOf(200_000);
  return (await runWell(["encrypt", "-", "-o", "-", ...options], { stdin })).stdout;
}

beforeAll(async () => {
  folder.write("aes.key", bytesOf(32, 5));
  folder.write("other.key", bytesOf(32, 6));
  folder.write("root.key", bytesOf(32, 7));
  folder.write("plain", "attack");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  folder.write("rsa.pub", rsa.publicKey.export({ type: "spki", format: "pem" }));
  folder.write("rsa.pem", rsa.privateKey.export({ type: "pkcs8", format: "pem" }));
  await runWell(["key", "create", "--alias", "app", ...KEYSTORE]);
  await runWell(["key", "create", "--alias", "spare", ...KEYSTORE]);
  await runWell(["key", "create", "--alias", "signer", "--spec", "ECC_P256", ...KEYSTORE]);
  message = await sealed(...AES, "--context", "a=1");
  signed = await sealed(...AES, "--suite", "signed");
  folder.write("message", message);
});

afterEach(() => {
  expect(existsSync(OUTPUT), "no output file").toBe(false);
  expect(folder.leftovers(), "no temporary file").toEqual([]);
});

interface Refusal {
  readonly argv: readonly string[];
  readonly code: string;
  readonly says?: RegExp;
  readonly options?: RunOptions;
}

function refuses(name: string, exitCode: 1 | 2, refusal: () => Refusal): void {
  test(name, async () => {
    const { argv, code, says, options } = refusal();
    const result = await run(argv, options);
    expectFailure(result, exitCode, code);
    if (says !== undefined) expect(result.stderr).toMatch(says);
    expect(result.stdout.length).toBe(0);
  });
}

const encrypting = (...options: string[]): string[] => ["encrypt", folder.at("plain"), "-o", OUTPUT, ...options];
const decrypting = (...options: string[]): string[] => ["decrypt", folder.at("message"), "-o", OUTPUT, ...options];

describe("files", () => {
  refuses("a missing input", 1, () => ({
    argv: ["encrypt", folder.at("nothing"), "-o", OUTPUT, ...AES],
    code: "ERR_INPUT",
    says: /cannot read .*nothing: there is no such file/,
  }));
  refuses("a folder as input", 1, () => ({
    argv: ["encrypt", folder.path, "-o", OUTPUT, ...AES],
    code: "ERR_INPUT",
    says: /it is a directory/,
  }));
  refuses("an input that fails while it is read", 1, () => ({
    argv: ["encrypt", "-", "-o", OUTPUT, ...AES],
    code: "ERR_INPUT",
    says: /cannot read standard input: the device reports an error/,
    options: { stdin: failingReadable() },
  }));
  refuses("an input in a file used as a folder", 1, () => ({
    argv: ["inspect", `${folder.at("plain")}/x`],
    code: "ERR_INPUT",
    says: /a part of the path is not a directory/,
  }));

  function failingReadable(): Readable {
    const error = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" });
    return new Readable({
      read() {
        this.push(bytesOf(100_000));
        setImmediate(() => this.destroy(error));
      },
    });
  }

  test("an existing target, before anything is read", async () => {
    folder.write("taken", "precious");
    for (const argv of [
      ["encrypt", folder.at("nothing"), "-o", folder.at("taken"), "--raw-aes-key", "nothing", ...NAMES],
      ["decrypt", folder.at("nothing"), "-o", folder.at("taken"), "--raw-aes-key", "nothing", ...NAMES],
    ]) {
      expectFailure(await run(argv), 1, "ERR_OUTPUT_EXISTS");
    }
    expect(folder.read("taken").toString()).toBe("precious");
  });

  test("a target that appears meanwhile is not replaced", async () => {
    const target = folder.at("late");
    const stdin = Readable.from(
      (async function* () {
        yield Buffer.from("attack");
        writeFileSync(target, "precious");
      })(),
    );
    expectFailure(await run(["encrypt", "-", "-o", target, ...AES], { stdin }), 1, "ERR_OUTPUT_EXISTS");
    expect(folder.read("late").toString()).toBe("precious");
  });

  test("a failed decryption leaves the file that --force would replace", async () => {
    folder.write("kept", "precious");
    folder.write("torn", message.subarray(0, -1));
    expectFailure(
      await run(["decrypt", folder.at("torn"), "-o", folder.at("kept"), "--force", ...AES]),
      1,
      "ERR_MESSAGE_TRUNCATED",
    );
    expect(folder.read("kept").toString()).toBe("precious");
  });

  refuses("a missing folder", 1, () => ({
    argv: ["encrypt", folder.at("plain"), "-o", folder.at("no/such"), ...AES],
    code: "ERR_OUTPUT",
    says: /cannot write .*no\/such: there is no such file or directory/,
  }));
  refuses("a file as folder", 1, () => ({
    argv: ["encrypt", folder.at("plain"), "-o", folder.at("plain/x"), ...AES],
    code: "ERR_OUTPUT",
    says: /not a directory/,
  }));
  refuses("a folder as target, even forced", 1, () => {
    mkdirSync(folder.at("folder"), { recursive: true });
    return {
      argv: ["encrypt", folder.at("plain"), "-o", folder.at("folder"), "--force", ...AES],
      code: "ERR_OUTPUT",
      says: /it is a directory/,
    };
  });
  refuses("a target that ends in /", 1, () => ({
    argv: ["encrypt", folder.at("plain"), "-o", `${OUTPUT}/`, ...AES],
    code: "ERR_OUTPUT",
    says: /names a directory/,
  }));
  refuses("a device as target, even forced", 1, () => ({
    argv: ["encrypt", folder.at("plain"), "-o", "/dev/null", "--force", ...AES],
    code: "ERR_OUTPUT",
    says: /no regular file; write to standard output with -o -/,
  }));
  refuses("a link to nothing as target", 1, () => {
    if (!existsSync(folder.at("dangling"))) symlinkSync("nowhere", folder.at("dangling"));
    return {
      argv: ["encrypt", folder.at("plain"), "-o", folder.at("dangling"), "--force", ...AES],
      code: "ERR_OUTPUT",
      says: /symbolic link to nothing/,
    };
  });
  refuses("a target with too long a name", 1, () => ({
    argv: ["encrypt", folder.at("plain"), "-o", folder.at("x".repeat(300)), ...AES],
    code: "ERR_OUTPUT",
    says: /the name is too long/,
  }));
  test.skipIf(process.getuid?.() === 0)("a folder without permission", async () => {
    mkdirSync(folder.at("locked"));
    chmodSync(folder.at("locked"), 0o500);
    const result = await run(["encrypt", folder.at("plain"), "-o", folder.at("locked/x"), ...AES]);
    expectFailure(result, 1, "ERR_OUTPUT");
    expect(result.stderr).toContain("permission denied");
  });

  test("standard output that fails is reported, one that was closed is not", async () => {
    const failing = (code: string): Capture => {
      const stdout = new Capture();
      stdout._write = (_chunk, _encoding, callback: (error?: Error) => void) =>
        callback(Object.assign(new Error(code), { code, syscall: "write" }));
      return stdout;
    };
    const full = await run(["encrypt", "-", "-o", "-", ...AES], { stdin: "a", stdout: failing("ENOSPC") });
    expectFailure(full, 1, "ERR_OUTPUT");
    expect(full.stderr).toContain("cannot write standard output: no space is left on the device");
    for (const argv of [["encrypt", "-", "-o", "-", ...AES], ["help"], ["inspect", folder.at("message")]]) {
      const closed = await run(argv, { stdin: "a", stdout: failing("EPIPE") });
      expect(closed).toMatchObject({ exitCode: 1, stderr: "" });
    }
  });
});

describe("keys", () => {
  for (const length of [0, 15, 31, 33, 100_000]) {
    refuses(`a raw AES key of ${length} bytes`, 1, () => ({
      argv: encrypting("--raw-aes-key", folder.write(`aes-${length}`, bytesOf(length)), ...NAMES),
      code: "ERR_KEY_FILE",
      says: /is not a key of 16, 24 or 32 raw bytes/,
    }));
  }
  refuses("a raw AES key in hexadecimal digits", 1, () => ({
    argv: encrypting("--raw-aes-key", folder.write("aes-hex", bytesOf(32).toString("hex")), ...NAMES),
    code: "ERR_KEY_FILE",
  }));
  refuses("a missing raw key", 1, () => ({
    argv: encrypting("--raw-aes-key", folder.at("nothing"), ...NAMES),
    code: "ERR_KEY_FILE",
    says: /cannot read .*nothing/,
  }));
  refuses("a folder as key", 1, () => ({
    argv: encrypting("--raw-aes-key", folder.path, ...NAMES),
    code: "ERR_KEY_FILE",
    says: /it is a directory/,
  }));
  refuses("an RSA key that is none", 1, () => ({
    argv: encrypting("--raw-rsa-public-key", folder.at("plain"), ...NAMES, "--padding", "oaep-sha256"),
    code: "ERR_KEY_FILE",
    says: /plain is not an RSA key to encrypt with/,
  }));
  refuses("the private RSA key to encrypt", 1, () => ({
    argv: encrypting("--raw-rsa-public-key", folder.at("rsa.pem"), ...NAMES, "--padding", "oaep-sha256"),
    code: "ERR_KEY_FILE",
  }));
  refuses("the public RSA key to decrypt", 1, () => ({
    argv: decrypting("--raw-rsa-private-key", folder.at("rsa.pub"), ...NAMES, "--padding", "oaep-sha256"),
    code: "ERR_KEY_FILE",
    says: /rsa.pub is not an RSA key to decrypt with/,
  }));
  refuses("an RSA key file without end", 1, () => ({
    argv: decrypting("--raw-rsa-private-key", "/dev/zero", ...NAMES, "--padding", "oaep-sha256"),
    code: "ERR_KEY_FILE",
    says: /longer than 65536 bytes/,
  }));
  refuses("a keystore that is missing, to encrypt", 1, () => ({
    argv: encrypting("--keystore", folder.at("none"), "--keystore-key", folder.at("root.key"), "--key", "app"),
    code: "ERR_KEYSTORE",
    says: /there is no keystore .*fengni key create/,
  }));
  refuses("a keystore that is missing, to decrypt", 1, () => ({
    argv: decrypting("--keystore", folder.at("none"), "--keystore-key", folder.at("root.key")),
    code: "ERR_KEYSTORE",
  }));
  test("no keystore was made by that", () => expect(existsSync(folder.at("none"))).toBe(false));
  refuses("a keystore that is a folder", 1, () => ({
    argv: decrypting("--keystore", folder.path, "--keystore-key", folder.at("root.key")),
    code: "ERR_KEYSTORE",
    says: /no regular file/,
  }));
  refuses("a keystore that is another file", 1, () => ({
    argv: decrypting("--keystore", folder.at("message"), "--keystore-key", folder.at("root.key")),
    code: "ERR_STORE_DAMAGED",
  }));
  refuses("another root key", 1, () => ({
    argv: decrypting("--keystore", folder.at("keys"), "--keystore-key", folder.at("other.key")),
    code: "ERR_ROOT_KEY",
    says: /check the passphrase, or the file of --keystore-key/,
  }));
  refuses("a passphrase where a root key is needed", 1, () => ({
    argv: decrypting("--keystore", folder.at("keys")),
    code: "ERR_ROOT_KEY",
    options: { env: { FENGNI_PASSPHRASE: "open sesame" } },
  }));
  refuses("a root key of the wrong length", 1, () => ({
    argv: decrypting("--keystore", folder.at("keys"), "--keystore-key", folder.write("root-31", bytesOf(31))),
    code: "ERR_KEY_FILE",
    says: /is not a key of 32 raw bytes: it has 31/,
  }));
  refuses("no root key and no terminal", 1, () => ({
    argv: decrypting("--keystore", folder.at("keys")),
    code: "ERR_PASSPHRASE",
    says: /--keystore-key, --passphrase-file or FENGNI_PASSPHRASE/,
  }));
  for (const [name, content] of [
    ["empty", ""],
    ["only a line end", "\n"],
    ["two lines", "a\nb\n"],
    ["not UTF-8", Buffer.from([0x61, 0xff])],
    ["too long", "x".repeat(5000)],
  ] as const) {
    refuses(`a passphrase file that is ${name}`, 1, () => ({
      argv: decrypting(
        "--keystore",
        folder.at("keys"),
        "--passphrase-file",
        folder.write(`passphrase ${name}`, content),
      ),
      code: "ERR_PASSPHRASE",
      says: /is not a passphrase/,
    }));
  }
  refuses("a key that is not in the keystore", 1, () => ({
    argv: encrypting(...KEYSTORE, "--key", "nobody"),
    code: "ERR_KEY_NOT_FOUND",
    says: /fengni key list/,
  }));
  refuses("a key of the wrong kind", 1, () => ({
    argv: encrypting(...KEYSTORE, "--key", "signer"),
    code: "ERR_KEY_USAGE",
  }));
  test("one key by two names", async () => {
    const { stdout } = await runWell(["key", "describe", "app", "--json", ...KEYSTORE]);
    const { keyId } = JSON.parse(stdout.toString());
    expectFailure(await run(encrypting(...KEYSTORE, "--key", "app", "--key", keyId)), 2, "ERR_USAGE");
  });
  refuses("more keys than --max-encrypted-data-keys, to encrypt", 1, () => ({
    argv: encrypting(...KEYSTORE, "--key", "app", ...AES, "--max-encrypted-data-keys", "1"),
    code: "ERR_LIMIT",
    says: /2, more than the allowed 1: raise --max-encrypted-data-keys/,
  }));
});

describe("messages", () => {
  function opening(
    name: string,
    code: string,
    bytes: () => Uint8Array,
    options: readonly string[] = AES,
    says?: RegExp,
  ): void {
    test(name, async () => {
      const stdin = Buffer.from(bytes());
      const file = await run(["decrypt", folder.write("bad", stdin), "-o", OUTPUT, ...options]);
      expectFailure(file, 1, code);
      if (says !== undefined) expect(file.stderr).toMatch(says);
      expectFailure(await run(["decrypt", "-", "-o", "-", ...options], { stdin }), 1, code);
    });
  }
  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at < 0 ? copy.length + at : at] = (copy.at(at) as number) ^ 1;
    return copy;
  };

  opening("empty", "ERR_MESSAGE_TRUNCATED", () => Buffer.alloc(0));
  opening("cut inside the header", "ERR_MESSAGE_TRUNCATED", () => message.subarray(0, 100));
  opening("cut inside a frame", "ERR_MESSAGE_TRUNCATED", () => message.subarray(0, 100_000));
  opening("without its last byte", "ERR_MESSAGE_TRUNCATED", () => message.subarray(0, -1));
  opening("with a byte more", "ERR_MESSAGE_INVALID", () => Buffer.concat([message, Buffer.alloc(1)]));
  opening("changed in a frame", "ERR_AUTHENTICATION", () => flipped(message, 100_000));
  opening("changed in the last tag", "ERR_AUTHENTICATION", () => flipped(message, -1));
  opening("signed, changed in the signature", "ERR_AUTHENTICATION", () => flipped(signed, -1));
  opening("signed, without its signature", "ERR_MESSAGE_TRUNCATED", () => signed.subarray(0, -105));
  opening("in base64", "ERR_MESSAGE_UNSUPPORTED", () => Buffer.from(message.toString("base64")), AES, /base64/);
  opening("no message at all", "ERR_MESSAGE_UNSUPPORTED", () => Buffer.from("attack at dawn"));
  opening("another key", "ERR_UNWRAP_FAILED", () => message, ["--raw-aes-key", folder.at("other.key"), ...NAMES]);
  opening(
    "another key name",
    "ERR_NO_MATCHING_KEY",
    () => message,
    ["--raw-aes-key", folder.at("aes.key"), "--namespace", "ns", "--name", "other"],
    /fengni inspect/,
  );
  opening("a keystore for a message of a raw key", "ERR_NO_MATCHING_KEY", () => message, KEYSTORE);
  opening(
    "another context value",
    "ERR_CONTEXT_MISMATCH",
    () => message,
    [...AES, "--context", "a=2"],
    /another value/,
  );
  opening(
    "a context key that is not there",
    "ERR_CONTEXT_MISMATCH",
    () => message,
    [...AES, "--context", "b=2"],
    /lacks/,
  );
  opening(
    "frames over the limit",
    "ERR_LIMIT",
    () => message,
    [...AES, "--max-frame-length", "65535"],
    /raise --max-frame-length/,
  );

  test("more encrypted data keys than allowed", async () => {
    const two = await sealed(...KEYSTORE, "--key", "app", "--key", "spare");
    const argv = ["decrypt", "-", "-o", OUTPUT, ...KEYSTORE, "--max-encrypted-data-keys", "1"];
    expectFailure(await run(argv, { stdin: two }), 1, "ERR_LIMIT");
    expectFailure(await run(["inspect", "-", "--max-encrypted-data-keys", "1"], { stdin: two }), 1, "ERR_LIMIT");
  });

  test("another key of the keystore is named", async () => {
    const stdin = await sealed(...KEYSTORE, "--key", "app");
    const result = await run(["decrypt", "-", "-o", OUTPUT, ...KEYSTORE, "--key", "spare"], { stdin });
    expectFailure(result, 1, "ERR_NO_MATCHING_KEY");
  });

  test("the key is disabled: the line says how to enable it", async () => {
    await runWell(["key", "create", "--alias", "off", ...KEYSTORE]);
    const stdin = await sealed(...KEYSTORE, "--key", "off");
    await runWell(["key", "disable", "off", ...KEYSTORE]);
    expectFailure(await run(encrypting(...KEYSTORE, "--key", "off")), 1, "ERR_KEY_STATE");
    expectFailure(await run(["decrypt", "-", "-o", OUTPUT, ...KEYSTORE], { stdin }), 1, "ERR_UNWRAP_FAILED");
  });

  test("a terminal escape in a message is shown escaped", async () => {
    const name = "\u001b]0;owned\u0007\u202e";
    const stdin = await sealed("--raw-aes-key", folder.at("aes.key"), "--namespace", name, "--name", "k");
    const result = await run(["decrypt", "-", "-o", OUTPUT, ...AES], { stdin });
    expectFailure(result, 1, "ERR_NO_MATCHING_KEY");
    expect(result.stderr).toContain("\\u{1b}]0;owned\\u{7}\\u{202e}");
  });

  test("FENGNI_DEBUG=1 adds the stack", async () => {
    const argv = ["decrypt", folder.at("plain"), "-o", OUTPUT, ...AES];
    const { stderr, exitCode } = await run(argv, { env: { FENGNI_DEBUG: "1" } });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/\(ERR_MESSAGE_UNSUPPORTED\)\nFengniError: .*\n {4}at /);
  });
});

test("file systems without hard links: the result appears, and never over another file", async () => {
  const { checkTarget, openOutput } = await import("../src/output.js");
  const io = { signal: new AbortController().signal, cleanups: new Set<() => void>() } as unknown as Parameters<
    typeof openOutput
  >[2];
  const noLinks = { link: () => Promise.reject(Object.assign(new Error("EPERM"), { code: "EPERM", syscall: "link" })) };
  const write = async (
    path: string,
    meanwhile: () => void,
    calls: typeof noLinks | { link: typeof link },
  ): Promise<void> => {
    const output = await openOutput(await checkTarget(path, false), false, io, calls);
    await new Promise<void>((resolve) => output.sink.end("attack", resolve));
    meanwhile();
    try {
      await output.commit();
    } finally {
      await output.discard();
    }
  };
  for (const calls of [noLinks, { link }]) {
    const name = calls === noLinks ? "unlinked" : "hard-linked";
    await write(folder.at(name), () => {}, calls);
    expect(folder.read(name).toString()).toBe("attack");
    const taken = folder.at(`${name}-taken`);
    await expect(write(taken, () => writeFileSync(taken, "precious"), calls)).rejects.toThrow(/exists: add --force/);
    expect(folder.read(`${name}-taken`).toString()).toBe("precious");
  }
  const broken = { link: () => Promise.reject(Object.assign(new Error("EIO"), { code: "EIO", syscall: "link" })) };
  await expect(write(folder.at("broken"), () => {}, broken)).rejects.toThrow(/the device reports an error/);
  expect(existsSync(folder.at("broken"))).toBe(false);
});
