// Every pair of state and operation against real keys; the state table is the data.
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { type KeyOperation, LocalKms, MemoryRecordStore, STATE_TABLE } from "@fengni/backend-local";
import type { CreateKeyRequest, KeyState } from "@fengni/core";
import { importSm2PublicKey } from "@fengni/crypto/sm2";
import { describe, expect, test } from "vitest";
import { errorOf, filled } from "./assertions.js";
import { createImportedKey, wrappedMaterial } from "./external-keys.js";

/** A key, still enabled while an operation prepares what it will be called with. */
interface Subject {
  readonly kms: LocalKms;
  readonly keyId: string;
  /** The state that the key will be in. */
  readonly state: KeyState;
}

/** How an operation is called. */
interface Way {
  /** Default: a symmetric key. */
  readonly key?: CreateKeyRequest;
  prepare(subject: Subject): Promise<() => Promise<unknown>> | (() => Promise<unknown>);
}

const message = filled(3);
const productId = "disk";
const resourceId = "disk-1";
const ecc: CreateKeyRequest = { keySpec: "ECC_P256" };
const external: CreateKeyRequest = { origin: "external" };

const WAYS: Record<KeyOperation, Way> = {
  encrypt: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.encrypt({ keyId, plaintext: message }),
  },
  generateDataKey: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.generateDataKey({ keyId, numberOfBytes: 16 }),
  },
  importDataKey: {
    prepare: ({ kms, keyId }) => {
      const request = { keyId, dataKeyName: "kept", importType: "plaintext", importKeyMaterial: message } as const;
      return () => kms.importDataKey(request);
    },
  },
  signByAsymmetricKey: {
    key: ecc,
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.signByAsymmetricKey({ keyId, algorithm: "ECDSA_P256_SHA_256", message }),
  },
  postQuantumCryptoEncrypt: {
    key: { keySpec: "ML_KEM_768" },
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.postQuantumCryptoEncrypt({ keyId, plaintext: message }),
  },
  postQuantumCryptoSign: {
    key: { keySpec: "ML_DSA_65" },
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.postQuantumCryptoSign({ keyId, message }),
  },
  decrypt: {
    async prepare({ kms, keyId }) {
      const { ciphertext } = await kms.encrypt({ keyId, plaintext: message });
      return () => kms.decrypt({ ciphertext });
    },
  },
  getDataKeyPlaintext: {
    async prepare({ kms, keyId }) {
      await kms.generateDataKey({ keyId, numberOfBytes: 16, isHostedByKms: true, dataKeyName: "hosted" });
      return () => kms.getDataKeyPlaintext({ dataKeyId: "hosted" });
    },
  },
  asymmetricRsaDecrypt: {
    key: { keySpec: "RSA_2048", keyUsage: "asymmetric-decrypt" },
    async prepare({ kms, keyId }) {
      const key = createPublicKey((await kms.getPublicKey({ keyId })).publicKeyPem);
      const padded = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
      const ciphertext = Uint8Array.from(publicEncrypt(padded, message));
      return () => kms.asymmetricRsaDecrypt({ keyId, algorithm: "RSAES_OAEP_SHA_256", ciphertext });
    },
  },
  asymmetricSm2Decrypt: {
    key: { keySpec: "SM2", keyUsage: "asymmetric-decrypt" },
    async prepare({ kms, keyId }) {
      const { publicKey } = await kms.getPublicKey({ keyId });
      const ciphertext = importSm2PublicKey(publicKey).encrypt(message, { format: "asn1" });
      return () => kms.asymmetricSm2Decrypt({ keyId, ciphertext });
    },
  },
  verifyByAsymmetricKey: {
    key: ecc,
    async prepare({ kms, keyId }) {
      const request = { keyId, algorithm: "ECDSA_P256_SHA_256", message } as const;
      const { signature } = await kms.signByAsymmetricKey(request);
      return () => kms.verifyByAsymmetricKey({ ...request, signature });
    },
  },
  postQuantumCryptoDecrypt: {
    key: { keySpec: "ML_KEM_768" },
    async prepare({ kms, keyId }) {
      const { ciphertext } = await kms.postQuantumCryptoEncrypt({ keyId, plaintext: message });
      return () => kms.postQuantumCryptoDecrypt({ ciphertext });
    },
  },
  postQuantumCryptoVerify: {
    key: { keySpec: "ML_DSA_65" },
    async prepare({ kms, keyId }) {
      const { signature } = await kms.postQuantumCryptoSign({ keyId, message });
      return () => kms.postQuantumCryptoVerify({ keyId, message, signature });
    },
  },
  getPublicKey: {
    key: ecc,
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.getPublicKey({ keyId }),
  },
  describeKey: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.describeKey({ keyId }),
  },
  describeKeys: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.describeKeys({ keyIds: [keyId] }),
  },
  getKeyRotationStatus: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.getKeyRotationStatus({ keyId }),
  },
  getKeyAttributes: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.getKeyAttributes({ keyId }),
  },
  setKeyAttributes: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.setKeyAttributes({ keyId, attributes: { a: "b" } }),
  },
  updateAlias: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.updateAlias({ keyId, alias: "renamed" }),
  },
  updateKeyDescription: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.updateKeyDescription({ keyId, description: "described" }),
  },
  bindCloudResource: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.bindCloudResource({ keyId, productId, resourceId }),
  },
  unbindCloudResource: {
    async prepare({ kms, keyId, state }) {
      // A bound key cannot come to be deleted.
      if (state !== "pending-deletion") await kms.bindCloudResource({ keyId, productId, resourceId });
      return () => kms.unbindCloudResource({ keyId, productId, resourceId });
    },
  },
  enableKey: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.enableKey({ keyId }),
  },
  enableKeys: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.enableKeys({ keyIds: [keyId] }),
  },
  disableKey: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.disableKey({ keyId }),
  },
  disableKeys: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.disableKeys({ keyIds: [keyId] }),
  },
  enableKeyRotation: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.enableKeyRotation({ keyId }),
  },
  disableKeyRotation: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.disableKeyRotation({ keyId }),
  },
  rotateKey: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.rotateKey({ keyId }),
  },
  getParametersForImport: {
    key: external,
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.getParametersForImport({ keyId, wrappingAlgorithm: "RSAES_OAEP_SHA_256" }),
  },
  importKeyMaterial: {
    key: external,
    async prepare({ kms, keyId }) {
      const request = await wrappedMaterial(kms, keyId);
      return () => kms.importKeyMaterial(request);
    },
  },
  deleteImportedKeyMaterial: {
    key: external,
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.deleteImportedKeyMaterial({ keyId }),
  },
  archiveKey: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.archiveKey({ keyId }),
  },
  cancelKeyArchive: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.cancelKeyArchive({ keyId }),
  },
  scheduleKeyDeletion: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 }),
  },
  cancelKeyDeletion: {
    prepare:
      ({ kms, keyId }) =>
      () =>
        kms.cancelKeyDeletion({ keyId }),
  },
};

const pairs = Object.entries(STATE_TABLE).flatMap(([operation, row]) =>
  Object.entries(row).map(([state, cell]) => ({
    operation: operation as KeyOperation,
    state: state as KeyState,
    cell,
  })),
);

/** Brings an enabled key to a state by the operations that lead there. */
async function bringTo(state: KeyState, { kms, keyId }: Subject, store: MemoryRecordStore): Promise<void> {
  if (state === "disabled" || state === "pending-deletion") await kms.disableKey({ keyId });
  if (state === "pending-deletion") await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
  if (state === "archived") await kms.archiveKey({ keyId });
  if (state !== "pending-import") return;
  if ((await kms.describeKey({ keyId })).origin === "external") {
    await kms.deleteImportedKeyMaterial({ keyId });
    return;
  }
  // No operation leads there for keys that are not imported; the table refuses all the same.
  await store.change((records) => {
    const record = records.get("key", "local", keyId);
    if (record !== undefined) records.put({ ...record, state });
  });
}

describe("the state table", () => {
  test("has every state of every operation on a key", () => {
    expect(pairs.length).toBe(37 * 5);
    expect(Object.keys(WAYS).sort()).toEqual(Object.keys(STATE_TABLE).sort());
  });

  test.each(pairs)("$operation of a key that is $state", async ({ operation, state, cell }) => {
    const { key = {}, prepare } = WAYS[operation];
    const store = new MemoryRecordStore();
    const kms = new LocalKms({ store });
    const keyId = key.origin === "external" ? await createImportedKey(kms) : (await kms.createKey(key)).keyId;
    const subject: Subject = { kms, keyId, state };
    const call = await prepare(subject);
    await bringTo(state, subject, store);
    const before = await kms.describeKey({ keyId });
    expect(before.state).toBe(state);
    if (typeof cell === "string") {
      await call();
      expect((await kms.describeKey({ keyId })).state).toBe(cell);
    } else {
      const error = await errorOf(call());
      expect(error).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId, state, reason: cell.reason } });
      expect(error.message).toContain(cell.advice);
      expect(await kms.describeKey({ keyId })).toEqual(before);
    }
    await kms.close();
  });
});

describe("beside the table", () => {
  test("reEncrypt needs its source as decrypt does and its destination as encrypt does", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    const { keyId: destinationKeyId } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: message });
    await kms.disableKey({ keyId: destinationKeyId });
    const toDisabled = await errorOf(kms.reEncrypt({ ciphertext, destinationKeyId }));
    expect(toDisabled).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId: destinationKeyId } });
    await kms.enableKey({ keyId: destinationKeyId });
    await kms.disableKey({ keyId });
    const fromDisabled = await errorOf(kms.reEncrypt({ ciphertext, destinationKeyId }));
    expect(fromDisabled).toMatchObject({ code: "ERR_KEY_STATE", details: { keyId } });
  });

  test("a disabled key that is enabled again opens its old ciphertexts", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(6) });
    await kms.disableKey({ keyId });
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 30 });
    expect(await kms.cancelKeyDeletion({ keyId })).toEqual({ keyId });
    expect(await kms.describeKey({ keyId })).not.toHaveProperty("deletionAtMs");
    await kms.enableKey({ keyId });
    expect((await kms.decrypt({ ciphertext })).plaintext).toEqual(filled(6));
  });

  test("a key without material waits for import again after its deletion was cancelled", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey({ origin: "external" });
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    await kms.cancelKeyDeletion({ keyId });
    const { state, versions } = await kms.describeKey({ keyId });
    expect({ state, versions }).toEqual({ state: "pending-import", versions: 0 });
  });

  test.each(["enableKeyRotation", "rotateKey"] as const)(
    "%s of an external key is refused in every state",
    async (operation) => {
      const states: readonly KeyState[] = ["enabled", "disabled", "pending-import", "pending-deletion", "archived"];
      const store = new MemoryRecordStore();
      const kms = new LocalKms({ store });
      for (const state of states) {
        const keyId = await createImportedKey(kms);
        await bringTo(state, { kms, keyId, state }, store);
        const details = { keyId, reason: "external-key-cannot-rotate" };
        expect(await errorOf(kms[operation]({ keyId }))).toMatchObject({ code: "ERR_KEY_USAGE", details });
      }
    },
  );
});
