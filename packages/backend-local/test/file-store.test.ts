// The sealed file: durable, refused in every wrong state without being touched, and holding nothing in clear.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LocalKms, ManualClock, openFileKeystore, type RootKey } from "@fengni/backend-local";
import type { KeySpec } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { StoreSeal } from "../src/seal.js";
import { MemoryTable } from "../src/store.js";
import { MemoryKeyStore } from "../src/store-memory.js";
import { formatRecords, parseRecords } from "../src/store-records.js";
import { codeOf, DAY_MS, errorOf, filled, openStore, ROOT_KEY, snapshot, temporaryFolder } from "./support.js";

const CHEAP: RootKey = { passphrase: "correct horse", scrypt: { log2N: 10, r: 1, p: 1 } };

function storePath(): string {
  return join(temporaryFolder(), "keys");
}

describe("durability", () => {
  test("everything about the keys is there after the store is opened again", async () => {
    const path = storePath();
    const clock = new ManualClock(5000);
    const first = await openStore(path, { clock });
    const { keyId } = await first.lifecycle.createKey({ alias: "a", description: "é" });
    const signer = await first.lifecycle.createKey({ keySpec: "ECC_P256", alias: "signer" });
    const { ciphertext } = await first.encrypt({ keyId, plaintext: filled(9), encryptionContext: { a: "b" } });
    const { signature } = await first.sign({
      keyId: "signer",
      algorithm: "ECDSA_P256_SHA_256",
      message: filled(2),
    });
    clock.advance(10);
    await first.lifecycle.rotateKey("a");
    await first.lifecycle.disableKey("signer");
    await first.lifecycle.scheduleKeyDeletion("signer", 30);
    const keys = await first.lifecycle.listKeys();
    await first.close();

    const second = await openStore(path, { clock, create: false });
    expect(await second.lifecycle.listKeys()).toEqual(keys);
    expect(keys.keys).toMatchObject([
      { versions: 2, lastRotatedAtMs: 5010 },
      { state: "pending-deletion", deletionAtMs: 5010 + 30 * DAY_MS },
    ]);
    const opened = await second.decrypt({ ciphertext, encryptionContext: { a: "b" }, keyId: "a" });
    expect(opened.plaintext).toEqual(filled(9));
    await second.lifecycle.cancelKeyDeletion("signer");
    await second.lifecycle.enableKey("signer");
    const request = { keyId: signer.keyId, algorithm: "ECDSA_P256_SHA_256", message: filled(2), signature } as const;
    expect((await second.verify(request)).valid).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("with a passphrase as with a key; the cost of scrypt is the file's", async () => {
    const path = storePath();
    const first = await openStore(path, { rootKey: CHEAP });
    const { keyId } = await first.lifecycle.createKey();
    await first.close();
    const second = await openStore(path, { rootKey: { passphrase: "correct horse" } });
    expect(await second.resolveKeyId(keyId)).toBe(keyId);
    expect([...readFileSync(path).subarray(9, 13)]).toEqual([1, 10, 1, 1]);
  });

  test("the default cost is 2^17, 8, 1", async () => {
    const path = storePath();
    await openStore(path, { rootKey: { passphrase: "p" } });
    expect([...readFileSync(path).subarray(9, 13)]).toEqual([1, 17, 8, 1]);
  });

  test("a passphrase is the same in either Unicode form", async () => {
    const path = storePath();
    const { scrypt } = CHEAP as { scrypt: { log2N: number; r: number; p: number } };
    await openStore(path, { rootKey: { passphrase: "u\u0308ber", scrypt } });
    await openStore(path, { rootKey: { passphrase: "\u00fcber" }, create: false });
  });

  test("nothing but the file is left behind, and an operation that changes nothing writes nothing", async () => {
    const path = storePath();
    const kms = await openStore(path);
    const { keyId } = await kms.lifecycle.createKey();
    expect(readdirSync(join(path, ".."))).toEqual(["keys"]);
    const before = statSync(path);
    await kms.lifecycle.enableKey(keyId);
    await kms.encrypt({ keyId, plaintext: filled(1) });
    expect(await codeOf(kms.lifecycle.scheduleKeyDeletion(keyId, 7))).toBe("ERR_KEY_STATE");
    expect(statSync(path)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  test("a key that is due is gone from the file at the first access", async () => {
    const path = storePath();
    const clock = new ManualClock();
    const kms = await openStore(path, { clock });
    const { keyId } = await kms.lifecycle.createKey();
    await kms.lifecycle.disableKey(keyId);
    await kms.lifecycle.scheduleKeyDeletion(keyId, 7);
    const size = statSync(path).size;
    clock.advance(7 * DAY_MS);
    expect(await codeOf(kms.resolveKeyId(keyId))).toBe("ERR_KEY_NOT_FOUND");
    expect(statSync(path).size).toBeLessThan(size - 200);
  });

  test("two names of one file are one store", async () => {
    const path = storePath();
    const link = `${path}-link`;
    const kms = await openStore(path);
    symlinkSync("keys", link);
    const linked = await openStore(link, { create: false });
    const { keyId } = await linked.lifecycle.createKey();
    expect(await kms.resolveKeyId(keyId)).toBe(keyId);
    expect(readdirSync(join(path, ".."))).toEqual(["keys", "keys-link"]);
  });
});

describe("root key", () => {
  test.each<[string, RootKey, RootKey]>([
    ["another key", { key: ROOT_KEY }, { key: filled(32, 1) }],
    ["a passphrase for a key", { key: ROOT_KEY }, { passphrase: "correct horse" }],
    ["another passphrase", CHEAP, { passphrase: "correct horsf" }],
    ["a longer passphrase", CHEAP, { passphrase: "correct horse " }],
    ["a key for a passphrase", CHEAP, { key: ROOT_KEY }],
  ])("%s is refused as such, with and without create", async (_name, right, wrong) => {
    const path = storePath();
    const kms = await openStore(path, { rootKey: right });
    await kms.lifecycle.createKey();
    await kms.close();
    const before = snapshot(join(path, ".."));
    for (const create of [true, false]) {
      expect(await codeOf(openFileKeystore(path, { rootKey: wrong, create }))).toBe("ERR_ROOT_KEY");
    }
    expect(snapshot(join(path, ".."))).toEqual(before);
  });

  test("of a wrong shape is the programmer's mistake, and makes no file", async () => {
    const path = storePath();
    const wrong: unknown[] = [
      undefined,
      {},
      "passphrase",
      { passphrase: "" },
      { passphrase: 7 },
      { key: filled(31) },
      { key: filled(33) },
      { key: "a".repeat(32) },
      { passphrase: "a", key: filled(32) },
      { passphrase: "a", scrypt: { log2N: 9, r: 8, p: 1 } },
      { passphrase: "a", scrypt: { log2N: 21, r: 1, p: 1 } },
      { passphrase: "a", scrypt: { log2N: 20, r: 3, p: 1 } },
      { passphrase: "a", scrypt: { log2N: 14, r: 8, p: 17 } },
      { passphrase: "a", scrypt: { log2N: 14, r: 8 } },
      { passphrase: "a", scrypt: { N: 2 ** 17, r: 8, p: 1 } },
    ];
    for (const rootKey of wrong) {
      const call = openFileKeystore(path, { rootKey: rootKey as RootKey, create: true });
      expect(await codeOf(call)).toBe("ERR_ARGUMENT");
    }
    expect(await codeOf(openFileKeystore("", { rootKey: { key: ROOT_KEY } }))).toBe("ERR_ARGUMENT");
    const unknown = { rootKey: { key: ROOT_KEY }, mode: 1 } as never;
    expect(await codeOf(openFileKeystore(path, unknown))).toBe("ERR_ARGUMENT");
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    ["Uint8Array", Uint8Array.from(ROOT_KEY)],
    ["Buffer", Buffer.from(ROOT_KEY)],
  ])("that is wiped by the caller after opening is not missed: %s", async (_name, key) => {
    const path = storePath();
    const kms = await openStore(path, { rootKey: { key } });
    key.fill(0);
    await kms.lifecycle.createKey({ alias: "a" });
    const sealed = await kms.encrypt({ keyId: "a", plaintext: filled(3) });
    const again = await openStore(path, { create: false });
    expect((await again.decrypt({ ciphertext: sealed.ciphertext })).plaintext).toEqual(filled(3));
  });
});

describe("damage", () => {
  async function storeBytes(): Promise<{ path: string; bytes: Buffer }> {
    const path = storePath();
    const kms = await openStore(path);
    await kms.lifecycle.createKey({ alias: "a" });
    await kms.close();
    return { path, bytes: readFileSync(path) };
  }

  async function refuse(path: string, bytes: Uint8Array): Promise<string | undefined> {
    writeFileSync(path, bytes);
    const code = await codeOf(openFileKeystore(path, { rootKey: { key: ROOT_KEY }, create: true }));
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    return code;
  }

  test("every byte changed is seen, and is not taken for a wrong root key", async () => {
    const { path, bytes } = await storeBytes();
    expect(bytes.length).toBeGreaterThan(300);
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [1, 0x80]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ change;
        expect([at, await refuse(path, damaged)]).toEqual([at, "ERR_STORE_DAMAGED"]);
      }
    }
    expect(readdirSync(join(path, ".."))).toEqual(["keys"]);
  });

  test("every truncation and any extension is seen", async () => {
    const { path, bytes } = await storeBytes();
    for (let length = 0; length < bytes.length; length++) {
      expect([length, await refuse(path, bytes.subarray(0, length))]).toEqual([length, "ERR_STORE_DAMAGED"]);
    }
    for (const more of [1, 16, 1000]) {
      expect(await refuse(path, Buffer.concat([bytes, filled(more, 0)]))).toBe("ERR_STORE_DAMAGED");
    }
  });

  test("foreign files are seen", async () => {
    const { path, bytes } = await storeBytes();
    const foreign = [
      filled(0),
      filled(5000, 0),
      filled(5000, 0xff),
      Buffer.from("{}"),
      Buffer.from("SQLite format 3\0"),
    ];
    for (const file of [...foreign, bytes.subarray(1)]) expect(await refuse(path, file)).toBe("ERR_STORE_DAMAGED");
  });

  test("a file of another store with the same root key is another store: a spliced payload does not open", async () => {
    const first = await storeBytes();
    const second = await storeBytes();
    const spliced = Buffer.concat([first.bytes.subarray(0, 77), second.bytes.subarray(77)]);
    expect(await refuse(first.path, spliced)).toBe("ERR_STORE_DAMAGED");
  });

  test("a forged header cannot ask for more memory or time than is allowed", async () => {
    const path = storePath();
    await openStore(path, { rootKey: CHEAP });
    const { createHash } = await import("node:crypto");
    for (const [log2N, r, p] of [
      [21, 1, 1],
      [63, 1, 1],
      [255, 255, 255],
      [20, 8, 1],
      [17, 0, 1],
      [17, 8, 0],
      [17, 8, 17],
      [0, 8, 1],
    ]) {
      const forged = readFileSync(path);
      forged.set([1, log2N as number, r as number, p as number], 9);
      forged.set(createHash("sha256").update(forged.subarray(0, 61)).digest().subarray(0, 16), 61);
      const target = storePath();
      writeFileSync(target, forged);
      const error = await errorOf(openFileKeystore(target, { rootKey: { passphrase: "correct horse" } }));
      expect(error.code).toBe("ERR_STORE_DAMAGED");
      expect(error.message).toContain("more than is allowed");
    }
  });

  test("an oversized file is refused before it is read", async () => {
    const { path } = await storeBytes();
    truncateSync(path, 2 ** 33);
    expect(await codeOf(openFileKeystore(path, { rootKey: { key: ROOT_KEY } }))).toBe("ERR_STORE_DAMAGED");
  });

  test("a missing file, a folder, and a missing folder give a clear error", async () => {
    const folder = temporaryFolder();
    const open = (path: string, create: boolean): Promise<unknown> =>
      openFileKeystore(path, { rootKey: { key: ROOT_KEY }, create });
    const missing = await errorOf(open(join(folder, "none"), false));
    expect(missing.code).toBe("ERR_STORE_NOT_FOUND");
    expect(missing.message).toContain("create: true");
    expect(await codeOf(open(folder, false))).toBe("ERR_STORE_DAMAGED");
    expect(await codeOf(open(folder, true))).toBe("ERR_STORE_DAMAGED");
    expect(await codeOf(open(join(folder, "no", "keys"), true))).toBe("ERR_STORE_BUSY");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a payload that this release did not write is refused with a typed error", async () => {
    const seal = await StoreSeal.create({ key: ROOT_KEY });
    const record = { keyId: "a", sequence: 1, keySpec: "AES_256", state: "enabled", createdAtMs: 0, description: "" };
    const payloads = [
      filled(0),
      filled(3),
      filled(100, 0xff),
      payloadOf("{"),
      payloadOf("null"),
      payloadOf("[]"),
      payloadOf("{}"),
      payloadOf('{"lastSequence":-1,"keys":[]}'),
      payloadOf('{"lastSequence":0,"keys":[{}]}'),
      payloadOf('{"lastSequence":0,"keys":[]}', 1),
      payloadOf(JSON.stringify({ lastSequence: 1, keys: [{ ...record, versions: [] }] })),
      payloadOf(
        JSON.stringify({
          lastSequence: 1,
          keys: [
            {
              ...record,
              keyId: "0f9a3a3c-5d3e-4b7e-9c53-0d9f3b1f2a11",
              versions: [{ createdAtMs: 0, materialBytes: 32 }],
            },
          ],
        }),
        31,
      ),
    ];
    for (const payload of payloads) {
      const path = storePath();
      writeFileSync(path, seal.seal(payload));
      expect(await codeOf(openFileKeystore(path, { rootKey: { key: ROOT_KEY } }))).toBe("ERR_STORE_DAMAGED");
    }
    const path = storePath();
    writeFileSync(path, seal.seal(payloadOf('{"lastSequence":0,"keys":[]}')));
    expect((await (await openStore(path)).lifecycle.listKeys()).keys).toEqual([]);
  });

  function payloadOf(json: string, materialBytes = 0): Uint8Array {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(json));
    return Buffer.concat([length, Buffer.from(json), filled(materialBytes)]);
  }
});

describe("the file while it is open", () => {
  test("a file that was damaged, replaced or removed by others gives a typed error, and a change does not touch it", async () => {
    const path = storePath();
    const kms = await openStore(path);
    const { keyId } = await kms.lifecycle.createKey();
    const good = readFileSync(path);
    const elsewhere = await openStore(storePath());
    await elsewhere.lifecycle.createKey();

    writeFileSync(path, "rubbish");
    for (const call of [kms.resolveKeyId(keyId), kms.lifecycle.createKey()]) {
      expect(await codeOf(call)).toBe("ERR_STORE_DAMAGED");
    }
    expect(readFileSync(path, "utf8")).toBe("rubbish");

    const other = storePath();
    await openStore(other, { rootKey: { key: filled(32, 9) } });
    copyFileSync(other, path);
    for (const call of [kms.resolveKeyId(keyId), kms.lifecycle.createKey()]) {
      expect(await codeOf(call)).toBe("ERR_ROOT_KEY");
    }
    expect(readFileSync(path)).toEqual(readFileSync(other));

    rmSync(path);
    for (const call of [kms.resolveKeyId(keyId), kms.lifecycle.createKey()]) {
      expect(await codeOf(call)).toBe("ERR_STORE_DAMAGED");
    }
    expect(existsSync(path)).toBe(false);

    writeFileSync(path, good);
    expect(await kms.resolveKeyId(keyId)).toBe(keyId);
  });

  test("a restored backup is what counts: a version that is lost with it is not used again", async () => {
    const path = storePath();
    const reader = await openStore(path);
    const { keyId } = await reader.lifecycle.createKey();
    const backup = readFileSync(path);
    await reader.lifecycle.rotateKey(keyId);
    const { ciphertext } = await reader.encrypt({ keyId, plaintext: filled(1) });
    writeFileSync(`${path}.restored`, backup);
    renameSync(`${path}.restored`, path);
    const other = await openStore(path);
    expect(await codeOf(other.decrypt({ ciphertext }))).toBe("ERR_CIPHERTEXT_INVALID");
    // The reader has not looked since: it holds a version 2 of its own, and the file has another.
    await other.lifecycle.rotateKey(keyId);
    expect(await codeOf(reader.decrypt({ ciphertext }))).toBe("ERR_AUTHENTICATION");
    const again = await reader.encrypt({ keyId, plaintext: filled(2) });
    expect((await other.decrypt({ ciphertext: again.ciphertext })).plaintext).toEqual(filled(2));
  });

  test("a change that cannot be written fails, and nothing is changed in memory or on disk", async () => {
    const path = storePath();
    const kms = await openStore(path);
    const { keyId } = await kms.lifecycle.createKey({ alias: "a" });
    const before = await kms.lifecycle.listKeys();
    const folder = join(path, "..");
    const file = snapshot(folder);
    // A folder in the way of the lock file: not even root can write.
    mkdirSync(`${path}.lock`);
    for (const call of [kms.lifecycle.createKey(), kms.lifecycle.rotateKey(keyId)]) {
      expect(await codeOf(call)).toBe("ERR_STORE_BUSY");
    }
    rmSync(`${path}.lock`, { recursive: true });
    expect(snapshot(folder)).toEqual(file);
    expect(await kms.lifecycle.listKeys()).toEqual(before);
    expect((await kms.lifecycle.createKey({ alias: "b" })).alias).toBe("b");
  });

  test("a change survives a file whose mode was changed", async () => {
    const path = storePath();
    const kms = await openStore(path);
    chmodSync(path, 0o644);
    await kms.lifecycle.createKey();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("close wipes the material; it is not needed to close twice", async () => {
    const path = storePath();
    const kms = await openStore(path);
    const { keyId } = await kms.lifecycle.createKey();
    const waiting = kms.lifecycle.createKey();
    await kms.close();
    await kms.close();
    await waiting.catch((error) => expect(error.code).toBe("ERR_CLOSED"));
    expect(await codeOf(kms.encrypt({ keyId, plaintext: filled(1) }))).toBe("ERR_CLOSED");
    expect(await codeOf(kms.lifecycle.createKey())).toBe("ERR_CLOSED");
  });
});

describe("secrecy on disk", () => {
  test.each<KeySpec>(["AES_256", "ECC_P256", "ECC_P384"])(
    "no material of %s is in the file, raw, in hex or in base64",
    async (keySpec) => {
      const store = new MemoryKeyStore();
      const memory = new LocalKms({ store });
      const { keyId } = await memory.lifecycle.createKey({ keySpec, alias: "findable-alias" });
      const table = store.view() as MemoryTable;
      const material = table.get(keyId)?.versions[0]?.material.bytes() as Uint8Array;
      const payload = formatRecords(table);
      expect(Buffer.from(payload).includes(Buffer.from(material))).toBe(true);
      for (const rootKey of [{ key: ROOT_KEY }, CHEAP]) {
        const path = storePath();
        writeFileSync(path, (await StoreSeal.create(rootKey)).seal(payload));
        const kms = await openStore(path, { rootKey });
        // The program's own writing of the very same key.
        await kms.lifecycle.updateDescription(keyId, "findable description");
        const again = parseRecords(
          (await StoreSeal.open(rootKey, readFileSync(path))).unseal(readFileSync(path)),
          table,
        );
        expect(again.get(keyId)?.versions[0]?.material.bytes()).toEqual(material);
        const file = readFileSync(path);
        expectAbsent(file, material);
        for (const text of ["findable", keyId, "correct horse", "AES_256"]) expect(file.includes(text)).toBe(false);
        if ("key" in rootKey) expectAbsent(file, ROOT_KEY);
      }
    },
  );

  function expectAbsent(file: Buffer, secret: Uint8Array): void {
    const text = file.toString("latin1");
    const bytes = Buffer.from(secret);
    // Any 8 bytes of it, in each spelling.
    for (let at = 0; at + 8 <= bytes.length; at++) {
      const part = bytes.subarray(at, at + 8);
      expect(file.includes(part)).toBe(false);
      expect(text.toLowerCase().includes(part.toString("hex"))).toBe(false);
      expect(text.includes(part.toString("base64").slice(0, 10))).toBe(false);
    }
  }

  test("every writing is sealed anew", async () => {
    const path = storePath();
    const kms = await openStore(path);
    const { keyId } = await kms.lifecycle.createKey({ description: "a" });
    const seen: Buffer[] = [];
    for (let i = 0; i < 8; i++) {
      await kms.lifecycle.updateDescription(keyId, i % 2 === 0 ? "b" : "a");
      seen.push(readFileSync(path));
    }
    expect(new Set(seen.map((file) => file.subarray(77, 109).toString("hex"))).size).toBe(8);
    expect(new Set(seen.map((file) => file.subarray(0, 77).toString("hex"))).size).toBe(1);
    expect(seen[0]?.subarray(109)).not.toEqual(seen[2]?.subarray(109));
  });
});

test("a table goes to bytes and back", async () => {
  const store = new MemoryKeyStore();
  const kms = new LocalKms({ store });
  await kms.lifecycle.createKey({ alias: "a" });
  await kms.lifecycle.rotateKey("a");
  await kms.lifecycle.createKey({ keySpec: "ECC_P384" });
  const table = store.view() as MemoryTable;
  const again = parseRecords(formatRecords(table), new MemoryTable());
  expect(again.lastSequence).toBe(2);
  expect(formatRecords(again)).toEqual(formatRecords(table));
});
