// Files and pipes go through encrypt and decrypt unchanged, under every kind of key.
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, linkSync, lstatSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { bytesOf, Folder, run, runWell } from "./support.js";

const folder = new Folder();
const AES = ["--raw-aes-key", folder.at("aes.key"), "--namespace", "ns", "--name", "backup"];
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];
const PADDINGS = ["oaep-sha256", "oaep-sha384", "oaep-sha512", "oaep-sha1", "pkcs1"];

beforeAll(async () => {
  folder.write("aes.key", bytesOf(32, 5));
  folder.write("root.key", bytesOf(32, 6));
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  folder.write("rsa.pub", rsa.publicKey.export({ type: "spki", format: "pem" }));
  folder.write("rsa.pem", rsa.privateKey.export({ type: "pkcs8", format: "pem" }));
  folder.write("rsa.pub.der", rsa.publicKey.export({ type: "spki", format: "der" }));
  folder.write("rsa.der", rsa.privateKey.export({ type: "pkcs8", format: "der" }));
  await runWell(["key", "create", "--alias", "app", ...KEYSTORE]);
  await runWell(["key", "create", "--alias", "spare", ...KEYSTORE]);
});

describe("lengths", () => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 5_000_000]) {
    test(`a file of ${length} bytes`, async () => {
      const plaintext = bytesOf(length);
      const plain = folder.write(`plain-${length}`, plaintext);
      const message = folder.at(`message-${length}`);
      const { stderr, stdout } = await runWell(["encrypt", plain, "-o", message, ...AES]);
      expect(stdout.length).toBe(0);
      const count = length.toLocaleString("en");
      expect(stderr).toBe(
        `fengni: encrypted ${count} byte${length === 1 ? "" : "s"} to ${statSync(message).size.toLocaleString("en")} bytes, suite 0x0478, wrapped by ns/backup\n`,
      );
      const opened = await runWell(["decrypt", message, "-o", folder.at(`opened-${length}`), ...AES]);
      expect(opened).toMatchObject({ stderr: "", stdout: Buffer.alloc(0) });
      expect(folder.read(`opened-${length}`).equals(plaintext)).toBe(true);
    });

    test(`a pipe of ${length} bytes`, async () => {
      const plaintext = bytesOf(length, 2);
      const { stdout: message } = await runWell(["encrypt", "-", "-o", "-", ...AES], { stdin: plaintext });
      const { stdout } = await runWell(["decrypt", "-", "-o", "-", ...AES], { stdin: message });
      expect(stdout.equals(plaintext)).toBe(true);
    });
  }
});

describe("keys", () => {
  for (const length of [16, 24, 32]) {
    test(`raw AES of ${length} bytes`, async () => {
      const key = ["--raw-aes-key", folder.write(`aes-${length}`, bytesOf(length)), "--namespace", "n", "--name", "k"];
      const { stdout: message } = await runWell(["encrypt", "-", "-o", "-", ...key], { stdin: "attack" });
      expect((await runWell(["decrypt", "-", "-o", "-", ...key], { stdin: message })).stdout.toString()).toBe("attack");
    });
  }

  for (const padding of PADDINGS) {
    test(`raw RSA with ${padding}`, async () => {
      const options = ["--namespace", "n", "--name", "k", "--padding", padding];
      const encrypt = ["encrypt", "-", "-o", "-", "--raw-rsa-public-key", folder.at("rsa.pub"), ...options];
      const { stdout: message } = await runWell(encrypt, { stdin: "attack" });
      const decrypt = ["decrypt", "-", "-o", "-", "--raw-rsa-private-key", folder.at("rsa.pem"), ...options];
      expect((await runWell(decrypt, { stdin: message })).stdout.toString()).toBe("attack");
    });
  }

  test("raw RSA keys in DER", async () => {
    const options = ["--namespace", "n", "--name", "k", "--padding", "oaep-sha256"];
    const encrypt = ["encrypt", "-", "-o", "-", "--raw-rsa-public-key", folder.at("rsa.pub.der"), ...options];
    const { stdout: message } = await runWell(encrypt, { stdin: "attack" });
    const decrypt = ["decrypt", "-", "-o", "-", "--raw-rsa-private-key", folder.at("rsa.der"), ...options];
    expect((await runWell(decrypt, { stdin: message })).stdout.toString()).toBe("attack");
  });

  test("a key of a keystore by alias; any key of it opens, and so does the one that is named", async () => {
    const encrypt = ["encrypt", "-", "-o", "-", ...KEYSTORE, "--key", "app"];
    const { stdout: message, stderr } = await runWell(encrypt, { stdin: "attack" });
    expect(stderr).toMatch(/wrapped by app\n$/);
    for (const key of [[], ["--key", "app"], ["--key", "spare", "--key", "app"]]) {
      const opened = await runWell(["decrypt", "-", "-o", "-", ...KEYSTORE, ...key], { stdin: message });
      expect(opened.stdout.toString()).toBe("attack");
    }
    const described = await runWell(["key", "describe", "app", "--json", ...KEYSTORE]);
    const { keyId } = JSON.parse(described.stdout.toString());
    const byId = await runWell(["decrypt", "-", "-o", "-", ...KEYSTORE, "--key", keyId], { stdin: message });
    expect(byId.stdout.toString()).toBe("attack");
  });

  test("several wrapping keys of all kinds: each opens alone", async () => {
    const names = ["--namespace", "n", "--name", "k"];
    const aes = ["--raw-aes-key", folder.at("aes.key")];
    const padding = ["--padding", "oaep-sha512"];
    const rsa = ["--raw-rsa-public-key", folder.at("rsa.pub"), ...padding];
    const keystore = [...KEYSTORE, "--key", "app", "--key", "spare"];
    const encrypt = ["encrypt", "-", "-o", folder.at("several"), ...keystore, ...aes, ...rsa, ...names];
    const { stderr } = await runWell(encrypt, { stdin: "attack" });
    expect(stderr).toMatch(/wrapped by app, spare, n\/k, n\/k\n$/);
    const openers = [
      [...KEYSTORE, "--key", "app"],
      [...KEYSTORE, "--key", "spare"],
      [...aes, ...names],
      ["--raw-rsa-private-key", folder.at("rsa.pem"), ...padding, ...names],
    ];
    for (const opener of openers) {
      const { stdout } = await runWell(["decrypt", folder.at("several"), "-o", "-", ...opener]);
      expect(stdout.toString()).toBe("attack");
    }
  });
});

describe("options", () => {
  async function inspected(...options: string[]): Promise<Record<string, unknown>> {
    const { stdout } = await runWell(["encrypt", "-", "-o", "-", ...AES, ...options], { stdin: "attack at dawn" });
    const opened = await runWell(["decrypt", "-", "-o", "-", ...AES], { stdin: stdout });
    expect(opened.stdout.toString()).toBe("attack at dawn");
    return JSON.parse((await runWell(["inspect", "-", "--json"], { stdin: stdout })).stdout.toString());
  }

  test("--suite by id and by name", async () => {
    for (const name of ["0x0478", "committed", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"]) {
      expect(await inspected("--suite", name)).toMatchObject({ suite: { id: "0x0478", signed: false } });
    }
    for (const name of ["0x0578", "signed", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384"]) {
      expect(await inspected("--suite", name)).toMatchObject({ suite: { id: "0x0578", signed: true } });
    }
  });

  for (const [word, id, name, signed] of [
    ["rewrappable", "0xf478", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_REWRAPPABLE", false],
    ["rewrappable-signed", "0xf578", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384_REWRAPPABLE", true],
    ["signed-ml-dsa", "0xf378", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ML_DSA_65", true],
    ["sm4", "0xf128", "SM4_128_GCM_HKDF_SM3_COMMIT_KEY", false],
    ["sm4-signed", "0xf228", "SM4_128_GCM_HKDF_SM3_COMMIT_KEY_SM2", true],
  ] as const) {
    test(`--suite ${word}, by its id and by its full name`, async () => {
      for (const given of [word, id, name]) {
        expect(await inspected("--suite", given)).toMatchObject({ suite: { id, name, signed, committing: true } });
      }
    });
  }

  test("--parallel gives the same as without", async () => {
    const plain = folder.write("parallel", bytesOf(3_000_001));
    await runWell(["encrypt", plain, "-o", folder.at("parallel.fengni"), "--quiet", "--parallel", ...AES]);
    for (const [index, options] of [[], ["--parallel"]].entries()) {
      const opened = `parallel.${index}`;
      await runWell(["decrypt", folder.at("parallel.fengni"), "-o", folder.at(opened), "--quiet", ...options, ...AES]);
      expect(Buffer.compare(folder.read(opened), folder.read("parallel"))).toBe(0);
    }
  });

  test("--frame-length", async () => {
    expect(await inspected("--frame-length", "1")).toMatchObject({ frameLength: 1 });
    expect(await inspected("--frame-length", "67108864")).toMatchObject({ frameLength: 67_108_864 });
    expect(await inspected()).toMatchObject({ frameLength: 65_536 });
  });

  test("--context: several pairs, = in the value, an empty value, other scripts", async () => {
    const options = [
      "--context",
      "a=1=2",
      "--context",
      "empty=",
      "--context",
      "项目=阿波罗",
      "--context",
      "__proto__=x",
    ];
    const { encryptionContext } = (await inspected(...options)) as { encryptionContext: object };
    expect(Object.entries(encryptionContext).sort()).toEqual(
      [
        ["__proto__", "x"],
        ["a", "1=2"],
        ["empty", ""],
        ["项目", "阿波罗"],
      ].sort(),
    );
  });

  test("--context on decrypt: each pair must be there, more may be", async () => {
    const pairs = ["--context", "a=1", "--context", "b=2"];
    const { stdout: message } = await runWell(["encrypt", "-", "-o", "-", ...AES, ...pairs], { stdin: "attack" });
    const opened = await runWell(["decrypt", "-", "-o", "-", ...AES, "--context", "b=2"], { stdin: message });
    expect(opened.stdout.toString()).toBe("attack");
  });

  test("--quiet: no remark", async () => {
    for (const quiet of ["--quiet", "-q"]) {
      expect((await runWell(["encrypt", "-", "-o", "-", ...AES, quiet], { stdin: "a" })).stderr).toBe("");
    }
  });

  test("--output in its long form, and options before FILE; -- ends the options", async () => {
    folder.write("-dash", "attack");
    await runWell(["encrypt", ...AES, `--output=${folder.at("long")}`, "--", folder.at("-dash")]);
    expect((await runWell(["decrypt", ...AES, "-o-", folder.at("long")])).stdout.toString()).toBe("attack");
  });
});

describe("output files", () => {
  test("a message's file is as the umask allows, a plaintext's is its owner's", async () => {
    const before = process.umask(0o027);
    try {
      await runWell(["encrypt", "-", "-o", folder.at("mode.f"), ...AES], { stdin: "attack" });
      await runWell(["decrypt", folder.at("mode.f"), "-o", folder.at("mode"), ...AES]);
    } finally {
      process.umask(before);
    }
    expect(statSync(folder.at("mode.f")).mode & 0o777).toBe(0o640);
    expect(statSync(folder.at("mode")).mode & 0o777).toBe(0o600);
  });

  test("--force replaces the file, also the one that is read, and leaves other names of the old one alone", async () => {
    const path = folder.write("same", "attack at dawn");
    linkSync(path, folder.at("same-old"));
    chmodSync(path, 0o644);
    await runWell(["encrypt", path, "-o", path, "--force", ...AES]);
    expect(folder.read("same")[0]).toBe(2);
    expect(folder.read("same-old").toString()).toBe("attack at dawn");
    await runWell(["decrypt", path, "-o", path, "--force", ...AES]);
    expect(folder.read("same").toString()).toBe("attack at dawn");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("--force follows a symbolic link", async () => {
    folder.write("linked", "old");
    symlinkSync("linked", folder.at("link"));
    await runWell(["encrypt", "-", "-o", folder.at("link"), "--force", ...AES], { stdin: "attack" });
    expect(lstatSync(folder.at("link")).isSymbolicLink()).toBe(true);
    expect(readlinkSync(folder.at("link"))).toBe("linked");
    expect(folder.read("linked")[0]).toBe(2);
  });

  test("a relative path without a folder", async () => {
    const before = process.cwd();
    process.chdir(folder.path);
    try {
      await runWell(["encrypt", "aes.key", "-o", "relative.f", ...AES]);
    } finally {
      process.chdir(before);
    }
    expect(folder.names()).toContain("relative.f");
  });

  test("no temporary file is left", () => expect(folder.leftovers()).toEqual([]));
});

test("a message is not shown on a terminal unless forced", async () => {
  const { Capture } = await import("./support.js");
  const refused = await run(["encrypt", "-", "-o", "-", ...AES], { stdin: "a", stdout: new Capture(true) });
  expect(refused.exitCode).toBe(2);
  expect(refused.stdout.length).toBe(0);
  await runWell(["encrypt", "-", "-o", "-", "--force", ...AES], { stdin: "a", stdout: new Capture(true) });
});
