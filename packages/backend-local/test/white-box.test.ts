// White-box keys: their life, their devices, what they encrypt, and the client's side.
import * as nodeCrypto from "node:crypto";
import { expect, test } from "vitest";
import type { AccessRequest } from "../src/access.js";
import { ManualClock } from "../src/clock.js";
import { Regions } from "../src/regions.js";
import { Room } from "../src/room.js";
import { MemoryRecordStore } from "../src/store-memory.js";
import { type WhiteBoxOperations, whiteBoxOperations } from "../src/white-box.js";
import { whiteBoxDecrypt } from "../src/white-box-cipher.js";

const NOW_MS = 1_700_000_000_000;
const ALGORITHMS = ["AES_256", "SM4"] as const;
const IV = Uint8Array.from({ length: 16 }, (_, index) => index);
const TEXT = Uint8Array.from({ length: 40 }, (_, index) => 200 - 3 * index);

interface Fixture {
  readonly box: WhiteBoxOperations;
  readonly store: MemoryRecordStore;
  readonly clock: ManualClock;
  readonly asked: AccessRequest[];
}

/** Operations on a store in memory with two regions; the authorizer notes what it is asked and refuses the caller "mallory". */
function fixture(): Fixture {
  const store = new MemoryRecordStore();
  const clock = new ManualClock(NOW_MS);
  const asked: AccessRequest[] = [];
  const room = new Room(store, clock, new Regions([{ name: "one" }, { name: "two" }]), (request) => {
    asked.push(request);
    return request.caller.id !== "mallory";
  });
  return { box: whiteBoxOperations(room), store, clock, asked };
}

async function withKey(algorithm: (typeof ALGORITHMS)[number] = "AES_256") {
  const parts = fixture();
  const key = await parts.box.createWhiteBoxKey({ alias: "box", algorithm });
  return { ...parts, ...key };
}

const rejection = (code: string, details?: object) =>
  expect.objectContaining(details === undefined ? { code } : { code, details: expect.objectContaining(details) });

function identity(index: number): string {
  const digits = index.toString(16).padStart(8, "0");
  return `${digits}-${"a".repeat(14)}-${"b".repeat(14)}-${"c".repeat(14)}-${"d".repeat(16)}`;
}

test.each(ALGORITHMS)("a key of %s: what it encrypts, its decryption key opens", async (algorithm) => {
  const { box, keyId, decryptKey } = await withKey(algorithm);
  for (const length of [1, 15, 16, 17, 4096]) {
    const plaintext = nodeCrypto.randomBytes(length);
    const sealed = await box.encryptByWhiteBox({ keyId: "box", plaintext });
    expect(sealed.keyId).toBe(keyId);
    expect(sealed.initializationVector).toHaveLength(16);
    expect(sealed.ciphertext).toHaveLength(length + 16 - (length % 16));
    const opened = await whiteBoxDecrypt({ decryptKey, ...pick(sealed), algorithm });
    expect(Buffer.from(opened)).toEqual(plaintext);
    for (const bytes of [sealed.ciphertext, opened]) expect(bytes.constructor).toBe(Uint8Array);
  }
});

function pick(sealed: { readonly initializationVector: Uint8Array; readonly ciphertext: Uint8Array }) {
  return { initializationVector: sealed.initializationVector, ciphertext: sealed.ciphertext };
}

test.each(ALGORITHMS)("the containers of %s are laid out as documented, with the key in clear", async (algorithm) => {
  const { box, keyId, encryptKey, decryptKey } = await withKey(algorithm);
  const keyBytes = algorithm === "AES_256" ? 32 : 16;
  for (const [role, container] of [encryptKey, decryptKey].entries()) {
    const bytes = Buffer.from(container);
    expect(bytes).toHaveLength(43 + keyBytes + 2 + 16);
    expect(bytes.subarray(0, 4).toString()).toBe("FNWB");
    expect([...bytes.subarray(4, 7)]).toEqual([1, role + 1, algorithm === "AES_256" ? 1 : 2]);
    expect(bytes.subarray(7, 43).toString()).toBe(keyId);
    expect(bytes.readUInt16BE(43 + keyBytes)).toBe(0);
    const checksum = nodeCrypto.createHash("sha256").update(bytes.subarray(0, -16)).digest().subarray(0, 16);
    expect(bytes.subarray(-16)).toEqual(checksum);
  }
  // Whoever holds either container can do all of it, without us.
  const raw = encryptKey.subarray(43, 43 + keyBytes);
  expect(decryptKey.subarray(43, 43 + keyBytes)).toEqual(raw);
  const cipher = nodeCrypto.createCipheriv(algorithm === "AES_256" ? "aes-256-cbc" : "sm4-cbc", raw, IV);
  const expected = Buffer.concat([cipher.update(TEXT), cipher.final()]);
  const sealed = await box.encryptByWhiteBox({ keyId, plaintext: TEXT, initializationVector: IV });
  expect(Buffer.from(sealed.ciphertext)).toEqual(expected);
  expect(sealed.initializationVector).toEqual(IV);
});

test("every key, and every random initialization vector, is another", async () => {
  const { box, decryptKey, keyId } = await withKey();
  const other = await box.createWhiteBoxKey({ alias: "other", algorithm: "AES_256" });
  expect(other.decryptKey.subarray(43, 75)).not.toEqual(decryptKey.subarray(43, 75));
  const ivs = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const { initializationVector } = await box.encryptByWhiteBox({ keyId, plaintext: TEXT });
    ivs.add(Buffer.from(initializationVector).toString("hex"));
  }
  expect(ivs.size).toBe(20);
});

test("arguments may change while an operation waits", async () => {
  const { box, keyId, decryptKey } = await withKey();
  const [plaintext, initializationVector] = [Uint8Array.from(TEXT), Uint8Array.from(IV)];
  const sealing = box.encryptByWhiteBox({ keyId, plaintext, initializationVector });
  plaintext.fill(0);
  initializationVector.fill(0);
  const sealed = await sealing;
  expect(await whiteBoxDecrypt({ decryptKey, ...pick(sealed) })).toEqual(TEXT);
  expect(sealed.initializationVector).toEqual(IV);
});

test("what is described of a key, and never the key", async () => {
  const { box, keyId, decryptKey } = await withKey();
  const expected = {
    keyId,
    region: "one",
    alias: "box",
    algorithm: "AES_256",
    state: "enabled",
    description: "",
    creator: "local",
    createdAtMs: NOW_MS,
    tags: {},
    isDeviceBound: false,
  };
  expect(await box.describeWhiteBoxKey({ keyId: "box" })).toEqual(expected);
  expect(await box.describeWhiteBoxKey({ keyId })).toEqual(expected);
  expect(await box.describeWhiteBoxKeyDetails()).toEqual({ keys: [expected], total: 1 });
  expect(await box.describeWhiteBoxDecryptKey({ keyId })).toEqual({ keyId, decryptKey });
  expect(await box.describeWhiteBoxServiceStatus()).toEqual({ isEnabled: true });
  await expect(box.describeWhiteBoxKey({ keyId: "box" }, { region: "two" })).rejects.toEqual(
    rejection("ERR_KEY_NOT_FOUND"),
  );
});

test("lists: by state and tags, in pages, or all at once", async () => {
  const { box, clock } = fixture();
  for (let i = 0; i < 25; i++) {
    const tags: Record<string, string> = i % 2 === 0 ? { parity: "even", at: `${i}` } : { parity: "odd" };
    await box.createWhiteBoxKey({ alias: `key-${i}`, algorithm: "SM4", tags }, { caller: { id: `caller-${i}` } });
    clock.advance(1);
    if (i < 5) await box.disableWhiteBoxKey({ keyId: `key-${i}` });
  }
  await box.createWhiteBoxKey({ alias: "key-0", algorithm: "SM4" }, { region: "two" });
  const aliases = async (request: Parameters<WhiteBoxOperations["describeWhiteBoxKeyDetails"]>[0]) => {
    const { keys, total } = await box.describeWhiteBoxKeyDetails(request);
    return [total, ...keys.map(({ alias }) => alias)];
  };
  expect(await aliases({})).toEqual([25, ...Array.from({ length: 25 }, (_, i) => `key-${i}`)]);
  expect(await aliases({ limit: 0, offset: 23 })).toEqual([25, "key-23", "key-24"]);
  expect(await aliases({ limit: 2, offset: 10 })).toEqual([25, "key-10", "key-11"]);
  expect(await aliases({ offset: 25, limit: 10 })).toEqual([25]);
  expect(await aliases({ state: "disabled", limit: 2 })).toEqual([5, "key-0", "key-1"]);
  expect(await aliases({ state: "enabled", limit: 1 })).toEqual([20, "key-5"]);
  expect(await aliases({ tagFilters: [{ key: "parity", values: ["odd"] }], limit: 1 })).toEqual([12, "key-1"]);
  expect(await aliases({ tagFilters: [{ key: "at" }, { key: "parity", values: ["odd", "even"] }], limit: 1 })).toEqual([
    13,
    "key-0",
  ]);
  expect(await aliases({ tagFilters: [{ key: "at", values: ["2"] }], state: "disabled" })).toEqual([1, "key-2"]);
  expect((await box.describeWhiteBoxKey({ keyId: "key-7" })).creator).toBe("caller-7");
});

test("states: what each forbids, and that changes may be repeated", async () => {
  const { box, keyId, decryptKey } = await withKey();
  const sealed = await box.encryptByWhiteBox({ keyId, plaintext: TEXT });
  const stateOf = async () => (await box.describeWhiteBoxKey({ keyId })).state;
  await expect(box.deleteWhiteBoxKey({ keyId })).rejects.toEqual(
    rejection("ERR_KEY_STATE", { keyId, state: "enabled", reason: "state-not-supported" }),
  );
  await box.enableWhiteBoxKey({ keyId });
  for (let i = 0; i < 2; i++) {
    await box.disableWhiteBoxKey({ keyId });
    expect(await stateOf()).toBe("disabled");
  }
  await expect(box.encryptByWhiteBox({ keyId, plaintext: TEXT })).rejects.toEqual(
    rejection("ERR_KEY_STATE", { keyId, state: "disabled", reason: "key-disabled" }),
  );
  // All that reads goes on, and so does whoever has the decryption key.
  expect((await box.describeWhiteBoxDecryptKey({ keyId })).decryptKey).toEqual(decryptKey);
  expect(await whiteBoxDecrypt({ decryptKey, ...pick(sealed) })).toEqual(TEXT);
  for (let i = 0; i < 2; i++) {
    await box.enableWhiteBoxKey({ keyId: "box" });
    expect(await stateOf()).toBe("enabled");
  }
  await box.disableWhiteBoxKey({ keyId });
  await box.deleteWhiteBoxKey({ keyId });
  await expect(box.describeWhiteBoxKey({ keyId })).rejects.toEqual(rejection("ERR_KEY_NOT_FOUND", { keyId }));
  await box.createWhiteBoxKey({ alias: "box", algorithm: "SM4" });
});

test("deleting wipes the key", async () => {
  const { box, store, keyId } = await withKey();
  const secret = store.view().secret({ kind: "white-box-key", region: "one", id: keyId }, 1);
  const bytes = secret.bytes();
  await box.disableWhiteBoxKey({ keyId });
  await box.deleteWhiteBoxKey({ keyId });
  expect(bytes).toEqual(new Uint8Array(32));
});

test("batches: at most 50, each once, all or none", async () => {
  const { box, keyId } = await withKey();
  const second = await box.createWhiteBoxKey({ alias: "second", algorithm: "SM4" });
  const states = async () => (await box.describeWhiteBoxKeyDetails()).keys.map(({ state }) => state);
  await box.disableWhiteBoxKeys({ keyIds: [keyId, "second"] });
  expect(await states()).toEqual(["disabled", "disabled"]);
  await box.enableWhiteBoxKeys({ keyIds: ["box", second.keyId] });
  expect(await states()).toEqual(["enabled", "enabled"]);
  await expect(box.disableWhiteBoxKeys({ keyIds: [keyId, "missing"] })).rejects.toEqual(rejection("ERR_KEY_NOT_FOUND"));
  for (const keyIds of [
    [keyId, keyId],
    ["box", keyId],
  ]) {
    for (const change of [box.disableWhiteBoxKeys, box.enableWhiteBoxKeys]) {
      await expect(change({ keyIds })).rejects.toEqual(rejection("ERR_CONFLICT", { reason: "duplicate-id" }));
    }
  }
  const many = Array.from({ length: 51 }, (_, index) => `key-${index}`);
  await expect(box.disableWhiteBoxKeys({ keyIds: many })).rejects.toEqual(
    rejection("ERR_LIMIT", { maximum: 50, actual: 51 }),
  );
  await expect(box.disableWhiteBoxKeys({ keyIds: [] })).rejects.toThrow(RangeError);
  await expect(box.enableWhiteBoxKeys({ keyIds: "box" as never })).rejects.toEqual(rejection("ERR_ARGUMENT"));
  expect(await states()).toEqual(["enabled", "enabled"]);
});

test("an alias is unique in its region", async () => {
  const { box } = await withKey();
  await expect(box.createWhiteBoxKey({ alias: "box", algorithm: "SM4" })).rejects.toEqual(
    rejection("ERR_CONFLICT", { name: "box", reason: "alias-exists" }),
  );
  await box.createWhiteBoxKey({ alias: "box", algorithm: "SM4" }, { region: "two" });
  expect((await box.describeWhiteBoxKeyDetails()).total).toBe(1);
});

test("device fingerprints: overwritten as a whole, within their limits", async () => {
  const { box, keyId } = await withKey();
  const get = async () => (await box.describeWhiteBoxDeviceFingerprints({ keyId })).deviceFingerprints;
  expect(await get()).toEqual([]);
  const all = Array.from({ length: 200 }, (_, index) => ({
    identity: identity(index),
    description: `device ${index}`,
  }));
  await box.overwriteWhiteBoxDeviceFingerprints({ keyId, deviceFingerprints: all });
  expect(await get()).toEqual(all);
  expect((await box.describeWhiteBoxKey({ keyId })).isDeviceBound).toBe(true);
  const refuse = (deviceFingerprints: unknown) =>
    expect(box.overwriteWhiteBoxDeviceFingerprints({ keyId, deviceFingerprints } as never)).rejects;
  await refuse([...all, { identity: identity(200) }]).toEqual(
    rejection("ERR_LIMIT", { limit: "device fingerprints", maximum: 200, actual: 201 }),
  );
  await refuse([all[0], { identity: identity(0) }]).toEqual(rejection("ERR_CONFLICT", { reason: "duplicate-id" }));
  await refuse([{ identity: identity(1), description: "é".repeat(513) }]).toEqual(
    rejection("ERR_LIMIT", { maximum: 1024, actual: 1026 }),
  );
  for (const wrong of ["", identity(1).toUpperCase(), identity(1).slice(1), `${identity(1)}0`, ` ${identity(1)}`]) {
    await refuse([{ identity: wrong }]).toEqual(rejection("ERR_ARGUMENT"));
  }
  await refuse([{ identity: 5 }]).toEqual(rejection("ERR_ARGUMENT"));
  await refuse([{ identity: identity(1), remark: "" }]).toEqual(rejection("ERR_ARGUMENT"));
  await refuse({ length: 1 }).toEqual(rejection("ERR_ARGUMENT"));
  expect(await get()).toEqual(all);
  await box.overwriteWhiteBoxDeviceFingerprints({ keyId, deviceFingerprints: [{ identity: identity(7) }] });
  expect(await get()).toEqual([{ identity: identity(7) }]);
  for (const missing of [undefined, null]) await refuse(missing).toEqual(rejection("ERR_ARGUMENT"));
  await expect(box.overwriteWhiteBoxDeviceFingerprints({ keyId } as never)).rejects.toEqual(rejection("ERR_ARGUMENT"));
  expect(await get()).toEqual([{ identity: identity(7) }]);
  await box.overwriteWhiteBoxDeviceFingerprints({ keyId, deviceFingerprints: [] });
  expect(await get()).toEqual([]);
});

test("a decryption key that is bound to devices opens on those only", async () => {
  const { box, keyId, decryptKey: unbound } = await withKey("SM4");
  const sealed = pick(await box.encryptByWhiteBox({ keyId, plaintext: TEXT }));
  const fingerprints = [1, 2, 3].map((index) => ({ identity: identity(index) }));
  await box.overwriteWhiteBoxDeviceFingerprints({ keyId, deviceFingerprints: fingerprints });
  const { decryptKey } = await box.describeWhiteBoxDecryptKey({ keyId });
  expect(decryptKey).toHaveLength(43 + 16 + 2 + 3 * 32 + 16);
  for (const index of [1, 2, 3]) {
    expect(await whiteBoxDecrypt({ decryptKey, ...sealed, deviceFingerprint: identity(index) })).toEqual(TEXT);
  }
  for (const device of [{}, { deviceFingerprint: identity(4) }]) {
    await expect(whiteBoxDecrypt({ decryptKey, ...sealed, ...device })).rejects.toEqual(rejection("ERR_DENIED"));
  }
  // What was handed out before stays as it was.
  expect(await whiteBoxDecrypt({ decryptKey: unbound, ...sealed })).toEqual(TEXT);
  expect(await whiteBoxDecrypt({ decryptKey: unbound, ...sealed, deviceFingerprint: identity(9) })).toEqual(TEXT);
});

test.each(ALGORITHMS)("what does not open under %s fails with one text", async (algorithm) => {
  const { box, keyId, decryptKey } = await withKey(algorithm);
  const other = await box.createWhiteBoxKey({ alias: "other", algorithm });
  const { ciphertext, initializationVector } = await box.encryptByWhiteBox({ keyId, plaintext: TEXT });
  const messages = new Set<string>();
  const refuse = async (bytes: Uint8Array, key = decryptKey) => {
    try {
      await whiteBoxDecrypt({ decryptKey: key, initializationVector, ciphertext: bytes });
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_CIPHERTEXT_INVALID" });
      expect((error as Error).cause).toBeUndefined();
      messages.add((error as Error).message);
      return true;
    }
    return false;
  };
  for (const length of [0, 1, 15, 47]) expect(await refuse(ciphertext.subarray(0, length))).toBe(true);
  // A block of plaintext is no padding.
  expect(await refuse(ciphertext.subarray(0, 16))).toBe(true);
  expect(await refuse(ciphertext.subarray(0, 32))).toBe(true);
  // The padding's last byte, through the block before: 8 becomes 9.
  const changed = Uint8Array.from(ciphertext);
  changed[31] = (changed[31] as number) ^ 1;
  expect(await refuse(changed)).toBe(true);
  let refused = 0;
  for (let i = 0; i < 40; i++) {
    const { decryptKey: wrong } = i === 0 ? other : await box.createWhiteBoxKey({ alias: `k${i}`, algorithm });
    if (await refuse(ciphertext, wrong)) refused++;
  }
  // A wrong key gives a right padding by chance, once in 256: nothing is authenticated.
  expect(refused).toBeGreaterThan(30);
  expect(messages.size).toBe(1);
  await expect(whiteBoxDecrypt({ decryptKey, initializationVector, ciphertext: new Uint8Array(4128) })).rejects.toEqual(
    rejection("ERR_LIMIT", { maximum: 4112, actual: 4128 }),
  );
});

test("a changed initialization vector changes the plaintext unseen", async () => {
  const { box, keyId, decryptKey } = await withKey();
  const sealed = await box.encryptByWhiteBox({ keyId, plaintext: TEXT });
  const initializationVector = Uint8Array.from(
    sealed.initializationVector,
    (byte, index) => byte ^ (index === 0 ? 1 : 0),
  );
  const opened = await whiteBoxDecrypt({ decryptKey, initializationVector, ciphertext: sealed.ciphertext });
  expect([...opened]).toEqual([(TEXT[0] as number) ^ 1, ...TEXT.subarray(1)]);
});

test("a container that was changed in any bit, shortened or lengthened is no key", async () => {
  const { box, keyId, encryptKey } = await withKey("SM4");
  const sealed = pick(await box.encryptByWhiteBox({ keyId, plaintext: TEXT }));
  await box.overwriteWhiteBoxDeviceFingerprints({ keyId, deviceFingerprints: [{ identity: identity(1) }] });
  const { decryptKey } = await box.describeWhiteBoxDecryptKey({ keyId });
  const open = (bytes: Uint8Array) =>
    whiteBoxDecrypt({ decryptKey: bytes, ...sealed, deviceFingerprint: identity(1) }).then(
      () => "opened",
      (error: { readonly code?: string }) => error.code,
    );
  expect(await open(decryptKey)).toBe("opened");
  let changes = 0;
  for (let bit = 0; bit < 8 * decryptKey.length; bit++) {
    const changed = Uint8Array.from(decryptKey);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(await open(changed)).toBe("ERR_KEY_INVALID");
    changes++;
  }
  expect(changes).toBe(8 * (43 + 16 + 2 + 32 + 16));
  for (let length = 0; length < decryptKey.length; length++) {
    expect(await open(decryptKey.subarray(0, length))).toBe("ERR_KEY_INVALID");
  }
  expect(await open(Buffer.concat([decryptKey, Buffer.alloc(1)]))).toBe("ERR_KEY_INVALID");
  expect(await open(new Uint8Array(2 ** 20))).toBe("ERR_KEY_INVALID");
  await expect(whiteBoxDecrypt({ decryptKey: encryptKey, ...sealed })).rejects.toThrow("this is an encryption key");
});

test("the client's side refuses another algorithm and wrong arguments", async () => {
  const { box, keyId, decryptKey } = await withKey("SM4");
  const sealed = pick(await box.encryptByWhiteBox({ keyId, plaintext: TEXT }));
  await expect(whiteBoxDecrypt({ decryptKey, ...sealed, algorithm: "AES_256" })).rejects.toEqual(
    rejection("ERR_KEY_USAGE", { keyId, reason: "key-usage" }),
  );
  for (const wrong of [
    { decryptKey: "text" },
    { initializationVector: new Uint8Array(15) },
    { ciphertext: "text" },
    { algorithm: "AES_128" },
    { deviceFingerprint: "x" },
    { deviceFingerprint: 5 },
    { unknown: 1 },
  ]) {
    const request = { decryptKey, ...sealed, ...wrong } as Parameters<typeof whiteBoxDecrypt>[0];
    await expect(whiteBoxDecrypt(request)).rejects.toEqual(rejection("ERR_ARGUMENT"));
  }
});

test("arguments of the operations", async () => {
  const { box, keyId, asked } = await withKey();
  asked.length = 0;
  const wrong: readonly (() => Promise<unknown>)[] = [
    () => box.createWhiteBoxKey({ algorithm: "SM4" } as never),
    () => box.createWhiteBoxKey({ alias: "a b", algorithm: "SM4" }),
    () => box.createWhiteBoxKey({ alias: "a", algorithm: "AES_128" as never }),
    () => box.createWhiteBoxKey({ alias: "a", algorithm: "SM4", tags: { a: 1 } as never }),
    () => box.createWhiteBoxKey({ alias: "a", algorithm: "SM4", state: "enabled" } as never),
    () => box.encryptByWhiteBox({ keyId, plaintext: new Uint8Array(0) }),
    () => box.encryptByWhiteBox({ keyId, plaintext: "text" as never }),
    () => box.encryptByWhiteBox({ keyId, plaintext: TEXT, initializationVector: new Uint8Array(12) }),
    () => box.describeWhiteBoxKey({ keyId: 5 as never }),
    () => box.describeWhiteBoxKey({ keyId, all: true } as never),
    () => box.describeWhiteBoxKeyDetails({ state: "archived" as never }),
    () => box.describeWhiteBoxKeyDetails({ offset: -1 }),
    () => box.describeWhiteBoxKeyDetails({ limit: 1.5 }),
    () => box.describeWhiteBoxServiceStatus({ region: "one" } as never),
  ];
  for (const call of wrong) await expect(call()).rejects.toEqual(rejection("ERR_ARGUMENT"));
  await expect(box.encryptByWhiteBox({ keyId, plaintext: new Uint8Array(4097) })).rejects.toEqual(
    rejection("ERR_LIMIT", { maximum: 4096, actual: 4097 }),
  );
  await expect(box.describeWhiteBoxKeyDetails({ limit: 201 })).rejects.toEqual(
    rejection("ERR_LIMIT", { maximum: 200 }),
  );
  await expect(box.createWhiteBoxKey({ alias: "a", algorithm: "SM4", description: "x".repeat(1025) })).rejects.toEqual(
    rejection("ERR_LIMIT", { maximum: 1024 }),
  );
  expect(asked).toEqual([]);
});

test("access is asked for, with the resource, before anything is told", async () => {
  const { box, keyId, asked } = await withKey();
  await box.createWhiteBoxKey({ alias: "tagged", algorithm: "SM4", tags: { team: "a" } }, { caller: { id: "ann" } });
  expect(asked.at(-1)).toMatchObject({
    operation: "createWhiteBoxKey",
    caller: { id: "ann" },
    requestTags: { team: "a" },
    resource: { kind: "white-box-key", id: "*", exists: false },
  });
  await box.disableWhiteBoxKeys({ keyIds: ["box", "tagged"] });
  expect(asked.slice(-2).map(({ operation, resource }) => [operation, resource?.id, resource?.creator])).toEqual([
    ["disableWhiteBoxKeys", keyId, "local"],
    ["disableWhiteBoxKeys", expect.any(String), "ann"],
  ]);
  const mallory = { caller: { id: "mallory" } };
  for (const call of [
    () => box.createWhiteBoxKey({ alias: "m", algorithm: "SM4" }, mallory),
    ...["box", "missing"].flatMap((reference) => [
      () => box.describeWhiteBoxKey({ keyId: reference }, mallory),
      () => box.describeWhiteBoxDecryptKey({ keyId: reference }, mallory),
      () => box.describeWhiteBoxDeviceFingerprints({ keyId: reference }, mallory),
      () => box.overwriteWhiteBoxDeviceFingerprints({ keyId: reference, deviceFingerprints: [] }, mallory),
      () => box.enableWhiteBoxKey({ keyId: reference }, mallory),
      () => box.enableWhiteBoxKeys({ keyIds: [reference] }, mallory),
      () => box.disableWhiteBoxKey({ keyId: reference }, mallory),
      () => box.disableWhiteBoxKeys({ keyIds: [reference] }, mallory),
      () => box.deleteWhiteBoxKey({ keyId: reference }, mallory),
      () => box.encryptByWhiteBox({ keyId: reference, plaintext: TEXT }, mallory),
    ]),
    () => box.describeWhiteBoxKeyDetails({}, mallory),
    () => box.describeWhiteBoxServiceStatus({}, mallory),
  ]) {
    await expect(call()).rejects.toEqual(rejection("ERR_DENIED"));
  }
});
