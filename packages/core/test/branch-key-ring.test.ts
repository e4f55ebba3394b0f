// Branch keys as a wrapping key: how few calls it makes, what it opens, and what it refuses.
import { createCipheriv, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  BRANCH_KEY_PROVIDER_ID,
  BranchKeyring,
  type BranchKeyringOptions,
  type EncryptedDataKey,
  type EncryptionContext,
  Envelope,
  inspect,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
} from "@fengni/core";
import { describe, expect, test } from "vitest";
import { FixedStore, storeWith, versionOf } from "./branch-key-support.js";
import { readings, refusal, testKey } from "./support.js";

const byTenant = (context: EncryptionContext): string => context["tenant"] as string;

function keyringOf(store: BranchKeyringOptions["store"], options: Partial<BranchKeyringOptions> = {}): BranchKeyring {
  return new BranchKeyring({ store, branchKeyIdFor: byTenant, ttlMs: 60_000, ...options });
}

const hex = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits, "hex"));
const counting = (length: number, start: number): Uint8Array => Uint8Array.from({ length }, (_, i) => start + i);

/** Computed by hand from docs/branch-keys.md. */
const VECTOR = {
  branchKeyId: "tenant-\u98ce",
  context: { tenant: "\u98ce" },
  material: counting(32, 0),
  version: counting(16, 0xa0),
  dataKey: Uint8Array.from({ length: 32 }, (_, i) => 0xff - i),
  providerInfo: hex("01000a74656e616e742de9a38ea0a1a2a3a4a5a6a7a8a9aaabacadaeaf"),
  ciphertext: hex(
    "101112131415161718191a1b1c1d1e1f404142434445464748494a4b5797705ad5a8760cbb2862245ded796792793a455b102c98c53b1662" +
      "2af9d6086fe8fbcf9b6aae31f568a39ef94d0c37",
  ),
};

function vectorKeyring(): BranchKeyring {
  const { branchKeyId, version, material } = VECTOR;
  const give = async () => ({ branchKeyId, version, material: material.slice() });
  const store = { getActive: give, getVersion: give };
  return keyringOf(store, { branchKeyIdFor: ({ tenant }) => `tenant-${tenant}` });
}

/** An independent writer of the format, over node:crypto alone. */
function wrappedByHand(salt: Uint8Array, iv: Uint8Array): EncryptedDataKey {
  const sized = (bytes: Uint8Array): Buffer => Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length), bytes]);
  const id = Buffer.from(VECTOR.branchKeyId);
  const pseudoRandomKey = createHmac("sha512", "fengni-branch-key/1").update(VECTOR.material).digest();
  const info = Buffer.concat([sized(Buffer.from("fengni-branch/data-key/1")), sized(id), VECTOR.version, sized(salt)]);
  const block = createHmac("sha512", pseudoRandomKey).update(info).update(Uint8Array.of(1)).digest();
  const providerInfo = Buffer.concat([Uint8Array.of(1), sized(id), VECTOR.version]);
  const pair = Buffer.concat([sized(Buffer.from("tenant")), sized(Buffer.from("\u98ce"))]);
  const cipher = createCipheriv("aes-256-gcm", block.subarray(0, 32), iv);
  cipher.setAAD(Buffer.concat([providerInfo, Uint8Array.of(0, 1), pair]));
  const sealed = Buffer.concat([cipher.update(VECTOR.dataKey), cipher.final(), cipher.getAuthTag()]);
  const ciphertext = new Uint8Array(Buffer.concat([salt, iv, sealed]));
  return { providerId: "fengni-branch", providerInfo: new Uint8Array(providerInfo), ciphertext };
}

describe("the format", () => {
  test("is as documented, to the byte", async () => {
    const { providerInfo, ciphertext } = VECTOR;
    expect(wrappedByHand(counting(16, 0x10), counting(12, 0x40))).toEqual({
      providerId: BRANCH_KEY_PROVIDER_ID,
      providerInfo,
      ciphertext,
    });
    const encryptedDataKey = { providerId: BRANCH_KEY_PROVIDER_ID, providerInfo, ciphertext };
    const request = { encryptedDataKey, dataKeyBytes: 32, encryptionContext: VECTOR.context };
    expect(await vectorKeyring().unwrapDataKey(request)).toEqual(VECTOR.dataKey);
  });

  test("is told in docs/branch-keys.md with these values", () => {
    const text = readFileSync(new URL("../../../docs/branch-keys.md", import.meta.url), "utf8");
    const { material, version, dataKey, providerInfo, ciphertext } = VECTOR;
    for (const value of [material, version, dataKey, providerInfo, ciphertext]) {
      expect(text).toContain(`\`${Buffer.from(value).toString("hex")}\``);
    }
  });

  test("is what it writes, with a salt and a nonce of its own each time", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const request = { dataKey: VECTOR.dataKey, encryptionContext: VECTOR.context };
      const wrapped = await vectorKeyring().wrapDataKey(request);
      const salt = wrapped.ciphertext.subarray(0, 16);
      const iv = wrapped.ciphertext.subarray(16, 28);
      expect(wrapped).toEqual(wrappedByHand(salt, iv));
      seen.add(Buffer.from(salt).toString("hex")).add(Buffer.from(iv).toString("hex"));
    }
    expect(seen.size).toBe(40);
  });

  test("no byte of it can be changed, removed or added", async () => {
    const { providerInfo, ciphertext, context } = VECTOR;
    // A store that has every version, and an id for every context: only the cipher is left to refuse.
    const getVersion = async (branchKeyId: string, version: Uint8Array) => ({
      branchKeyId,
      version,
      material: VECTOR.material.slice(),
    });
    const getActive = (branchKeyId: string) => getVersion(branchKeyId, VECTOR.version);
    let named = VECTOR.branchKeyId;
    const keyring = keyringOf({ getActive, getVersion }, { branchKeyIdFor: () => named });
    const opens = async (change: Partial<EncryptedDataKey>, encryptionContext: EncryptionContext = context) => {
      const encryptedDataKey = { providerId: BRANCH_KEY_PROVIDER_ID, providerInfo, ciphertext, ...change };
      return keyring.unwrapDataKey({ encryptedDataKey, dataKeyBytes: 32, encryptionContext }).catch((error) => {
        expect(error).toMatchObject({ code: "ERR_AUTHENTICATION" });
        return undefined;
      });
    };
    expect(await opens({})).toEqual(VECTOR.dataKey);
    const flipped = (bytes: Uint8Array, i: number, bit: number): Uint8Array =>
      bytes.map((byte, j) => (i === j ? byte ^ bit : byte));
    for (let i = 0; i < ciphertext.length; i++) {
      for (const bit of [1, 0x80]) expect(await opens({ ciphertext: flipped(ciphertext, i, bit) })).toBeUndefined();
    }
    for (let i = 0; i < providerInfo.length; i++) {
      for (const bit of [1, 0x80]) {
        const changed = flipped(providerInfo, i, bit);
        // Also where the context names the changed id.
        const id = Buffer.from(changed.subarray(3, 13)).toString();
        for (named of [VECTOR.branchKeyId, id]) expect(await opens({ providerInfo: changed })).toBeUndefined();
      }
    }
    named = VECTOR.branchKeyId;
    for (let length = 0; length < ciphertext.length; length++) {
      expect(await opens({ ciphertext: ciphertext.subarray(0, length) })).toBeUndefined();
    }
    for (let length = 0; length < providerInfo.length; length++) {
      expect(await opens({ providerInfo: providerInfo.subarray(0, length) })).toBeUndefined();
    }
    expect(await opens({ ciphertext: Uint8Array.of(...ciphertext, 0) })).toBeUndefined();
    expect(await opens({ providerInfo: Uint8Array.of(...providerInfo, 0) })).toBeUndefined();
    expect(await opens({ providerInfo: new Uint8Array(65_535).fill(1) })).toBeUndefined();
    expect(await opens({ providerId: "fengni-branc" })).toBeUndefined();
    expect(await opens({}, { tenant: "\u98ce", more: "" })).toBeUndefined();
    expect(await opens({}, {})).toBeUndefined();
    expect(await opens({})).toEqual(VECTOR.dataKey);
  });
});

describe("as a wrapping key", () => {
  test("opens what it sealed, however it is read, signed or not, alone or beside another", async () => {
    const { store } = await storeWith("a");
    const keyring = keyringOf(store);
    for (const wrappingKeys of [[keyring], [keyring, testKey()], [testKey(), keyring]]) {
      const writer = new Envelope({ wrappingKeys });
      for (const suite of [SUITE_COMMITTED, SUITE_COMMITTED_SIGNED]) {
        const envelope = new Envelope({ wrappingKeys, suite });
        const message = await envelope.encrypt("hello", { encryptionContext: { tenant: "a" } });
        const reader = new Envelope({ wrappingKeys: [keyringOf(store)] });
        for (const read of Object.values(readings))
          expect(Buffer.from(await read(reader, message)).toString()).toBe("hello");
      }
      const message = await writer.encrypt("hello", { encryptionContext: { tenant: "a" } });
      const ours = inspect(message).encryptedDataKeys.filter(({ providerId }) => providerId === "fengni-branch");
      expect(ours.length).toBe(1);
    }
  });

  test("10,000 messages of 20 tenants cost 20 calls of the provider, sealed and opened", {
    timeout: 60_000,
  }, async () => {
    const tenants = Array.from({ length: 20 }, (_, i) => `tenant-${i}`);
    const { store, key } = await storeWith(...tenants);
    const context = (i: number) => ({ tenant: tenants[i % 20] as string, message: String(i) });
    const sealing = keyringOf(store);
    const wrapped = await Promise.all(
      Array.from({ length: 10_000 }, (_, i) =>
        sealing.generateDataKey({ dataKeyBytes: 32, encryptionContext: context(i) }),
      ),
    );
    expect(key.calls).toBe(20);
    key.calls = 0;
    const opening = keyringOf(store);
    const opened = await Promise.all(
      wrapped.map(({ encryptedDataKey }, i) =>
        opening.unwrapDataKey({ encryptedDataKey, dataKeyBytes: 32, encryptionContext: context(i) }),
      ),
    );
    expect(key.calls).toBe(20);
    expect(
      opened.every((dataKey, i) => Buffer.compare(dataKey as Uint8Array, wrapped[i]?.dataKey as Uint8Array) === 0),
    ).toBe(true);
    // Who sealed opens without a call.
    key.calls = 0;
    const encryptedDataKey = wrapped[0]?.encryptedDataKey as EncryptedDataKey;
    await sealing.unwrapDataKey({ encryptedDataKey, dataKeyBytes: 32, encryptionContext: context(0) });
    expect(key.calls).toBe(0);
  });

  test("a message of one tenant does not open as another's", async () => {
    const { store } = await storeWith("a", "b");
    const keyring = keyringOf(store);
    const request = { dataKeyBytes: 32, encryptionContext: { tenant: "a" } };
    const { encryptedDataKey } = await keyring.generateDataKey(request);
    const asB = { encryptedDataKey, dataKeyBytes: 32, encryptionContext: { tenant: "b" } };
    expect(await keyring.unwrapDataKey(asB)).toBeUndefined();
    // Nor where b's name is written over a's.
    const providerInfo = encryptedDataKey.providerInfo.slice();
    providerInfo[3] = "b".charCodeAt(0);
    const renamed = { ...asB, encryptedDataKey: { ...encryptedDataKey, providerInfo } };
    await refusal(keyring.unwrapDataKey(renamed), "ERR_KEY_NOT_FOUND");
    const envelope = new Envelope({ wrappingKeys: [keyring] });
    const message = await envelope.encrypt("x", { encryptionContext: { tenant: "a" } });
    const other = new Envelope({ wrappingKeys: [keyringOf(store, { branchKeyIdFor: () => "b" })] });
    await refusal(other.decrypt(message), "ERR_NO_MATCHING_KEY");
  });

  test("after a rotation old messages still open", async () => {
    const { store } = await storeWith("a");
    const messages: Uint8Array[] = [];
    for (let i = 0; i < 3; i++) {
      const envelope = new Envelope({ wrappingKeys: [keyringOf(store)] });
      messages.push(await envelope.encrypt(String(i), { encryptionContext: { tenant: "a" } }));
      await store.rotate("a");
    }
    const infos = messages.map((message) => inspect(message).encryptedDataKeys[0]?.providerInfo);
    expect(new Set(infos.map((info) => Buffer.from(info as Uint8Array).toString("hex"))).size).toBe(3);
    const reader = new Envelope({ wrappingKeys: [keyringOf(store)] });
    for (const [i, message] of messages.entries()) {
      expect(Buffer.from((await reader.decrypt(message)).plaintext).toString()).toBe(String(i));
    }
  });

  test("what branchKeyIdFor throws is the cause of a typed error, as is what is no id", async () => {
    const cause = new Error("no tenant");
    const throwing = keyringOf(new FixedStore(), {
      branchKeyIdFor: () => {
        throw cause;
      },
    });
    const request = { dataKeyBytes: 32, encryptionContext: {} };
    await expect(throwing.generateDataKey(request)).rejects.toMatchObject({ code: "ERR_CONTEXT_INVALID", cause });
    expect(() => throwing.branchKeyIdFor({})).toThrow(expect.objectContaining({ cause }));
    for (const id of [undefined, "", "x".repeat(257), Promise.resolve("a"), "\udc00"]) {
      const wrong = keyringOf(new FixedStore(), { branchKeyIdFor: () => id as string });
      await refusal(wrong.generateDataKey(request), "ERR_CONTEXT_INVALID");
    }
  });

  test("refuses options that it does not know, or that cannot be", () => {
    const store = new FixedStore();
    const make = (options: object) => () =>
      new BranchKeyring({ store, branchKeyIdFor: byTenant, ttlMs: 1000, ...options } as BranchKeyringOptions);
    expect(make({ maxEntriess: 1 })).toThrow(/maxEntriess/);
    for (const ttlMs of [0, -1, 1.5, Number.NaN, 2 ** 31, undefined]) expect(make({ ttlMs })).toThrow(RangeError);
    expect(make({ maxEntries: 0 })).toThrow(RangeError);
    for (const field of ["maxAgeMs", "maxMessages", "maxBytes"]) expect(make({ [field]: 1000 })).toThrow(/ttlMs/);
    for (const wrong of [{ store: {} }, { branchKeyIdFor: "a" }, { name: 7 }]) expect(make(wrong)).toThrow(TypeError);
  });
});

describe("a store that fails or lies", () => {
  const request = { dataKeyBytes: 32, encryptionContext: { tenant: "a" } };

  test("its error reaches every caller, and the next call asks again", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    store.failure = new Error("down");
    const results = await Promise.allSettled([keyring.generateDataKey(request), keyring.generateDataKey(request)]);
    for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: store.failure });
    expect(store.calls.length).toBe(1);
    store.failure = undefined;
    await keyring.generateDataKey(request);
    expect(store.calls.length).toBe(2);
  });

  test("a key of another branch key, of another version or malformed is refused and wiped", async () => {
    const store = new FixedStore();
    const keyring = keyringOf(store);
    const lies: FixedStore["change"][] = [
      (answer) => ({ ...answer, branchKeyId: "b" }),
      (answer) => ({ ...answer, version: new Uint8Array(15) }),
      (answer) => ({ ...answer, material: answer.material.subarray(0, 31) }),
    ];
    for (store.change of lies) await refusal(keyring.generateDataKey(request), "ERR_UNAVAILABLE");
    store.change = (answer) => ({ ...answer, version: versionOf(9) });
    await refusal(
      keyring.use("a", versionOf(1), () => 0),
      "ERR_UNAVAILABLE",
    );
    store.change = () => undefined as never;
    await refusal(keyring.generateDataKey(request), "ERR_UNAVAILABLE");
    for (const material of store.given.slice(0, 2)) expect(material).toEqual(new Uint8Array(32));
    expect(store.given[3]).toEqual(new Uint8Array(32));
  });
});
