// Area: what a provider and its admin declare, and that whatever they do not claim is refused as not supported.
import type { AdminOperation, AsymmetricEncryptionAlgorithm, KeyAdmin, SignatureAlgorithm } from "@fengni/core";
import { utf8ToBytes } from "@fengni/crypto/bytes";
import { callWith, OPERATIONS } from "../calls.js";
import { type Area, givenKeys, type Kit } from "../kit.js";

const isCount = (value: number, minimum: number): boolean => Number.isSafeInteger(value) && value >= minimum;

async function declares(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const { capabilities, providerId } = provider;
  const isNamed = typeof providerId === "string" && providerId.length > 0 && utf8ToBytes(providerId).length <= 65_535;
  check.isTrue(isNamed, "providerId: expected text of 1 to 65,535 bytes");
  for (const operation of capabilities.operations) {
    check.isTrue(OPERATIONS.includes(operation), `capabilities.operations: expected operations of the contract`);
  }
  const { operations, dataKeyBytes, signatureAlgorithms, asymmetricEncryptionAlgorithms } = capabilities;
  check.equal(new Set(operations).size, operations.length, "capabilities.operations: number of different ones");
  check.isTrue(
    isCount(dataKeyBytes.minimum, 1),
    "capabilities.dataKeyBytes.minimum: expected a whole number from 1 on",
  );
  const isRange = isCount(dataKeyBytes.maximum, dataKeyBytes.minimum);
  check.isTrue(isRange, "capabilities.dataKeyBytes.maximum: expected a whole number from the minimum on");
  const seals = kit.claims("encrypt") || kit.claims("postQuantumEncrypt");
  check.isTrue(
    !seals || isCount(capabilities.maxPlaintextBytes, 1),
    "capabilities.maxPlaintextBytes: expected 1 or more",
  );
  const signs = kit.claims("sign") || kit.claims("verify");
  check.equal(signatureAlgorithms.length > 0, signs, "capabilities: whether there are signatureAlgorithms, as claimed");
  check.isTrue(!signs || isCount(capabilities.maxMessageBytes, 1), "capabilities.maxMessageBytes: expected 1 or more");
  const decrypts = kit.claims("asymmetricDecrypt");
  const has = asymmetricEncryptionAlgorithms.length > 0;
  check.equal(has, decrypts, "capabilities: whether there are asymmetricEncryptionAlgorithms, as claimed");
  check.equal(JSON.stringify(provider.capabilities), JSON.stringify(capabilities), "capabilities, read again");
}

async function resolvesKeys(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  for (const { use, pair } of givenKeys(kit.subject.keys)) {
    const ids = [];
    for (const keyId of pair) {
      const full = await check.resolves(provider.resolveKeyId(keyId), `resolveKeyId of a key of keys.${use}`);
      check.isTrue(typeof full === "string" && full.length > 0, "resolveKeyId: expected text");
      check.equal(
        await check.resolves(provider.resolveKeyId(full), "resolveKeyId of a full id"),
        full,
        "resolveKeyId again",
      );
      ids.push(full);
    }
    check.isTrue(ids[0] !== ids[1], `keys.${use}: expected two different keys`);
  }
}

async function refusesUnclaimed(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const keyId = givenKeys(kit.subject.keys)[0]?.pair[0] ?? "some-key";
  for (const operation of OPERATIONS) {
    if (kit.claims(operation)) continue;
    const call = callWith(provider, operation, { keyId, bytes: new Uint8Array(32) });
    await check.rejects(call, ["ERR_NOT_SUPPORTED"], `${operation}, which is not claimed`);
  }
}

/** A right-looking call of each operation of an admin. */
export const ADMIN_CALLS: Readonly<Record<AdminOperation, (admin: KeyAdmin, keyId: string) => Promise<unknown>>> = {
  createKey: (admin) => admin.createKey(),
  describeKey: (admin, keyId) => admin.describeKey(keyId),
  listKeys: (admin) => admin.listKeys(),
  enableKey: (admin, keyId) => admin.enableKey(keyId),
  disableKey: (admin, keyId) => admin.disableKey(keyId),
  rotateKey: (admin, keyId) => admin.rotateKey(keyId),
  updateAlias: (admin, keyId) => admin.updateAlias(keyId, "unclaimed"),
  updateDescription: (admin, keyId) => admin.updateDescription(keyId, "unclaimed"),
  scheduleKeyDeletion: (admin, keyId) => admin.scheduleKeyDeletion(keyId, 7),
  cancelKeyDeletion: (admin, keyId) => admin.cancelKeyDeletion(keyId),
  enableKeyRotation: (admin, keyId) => admin.enableKeyRotation(keyId, 30),
  disableKeyRotation: (admin, keyId) => admin.disableKeyRotation(keyId),
  archiveKey: (admin, keyId) => admin.archiveKey(keyId),
  cancelKeyArchive: (admin, keyId) => admin.cancelKeyArchive(keyId),
  getParametersForImport: (admin, keyId) => admin.getParametersForImport(keyId, "RSAES_OAEP_SHA_256"),
  importKeyMaterial: (admin, keyId) =>
    admin.importKeyMaterial({ keyId, encryptedKeyMaterial: new Uint8Array(256), importToken: new Uint8Array(32) }),
  deleteImportedKeyMaterial: (admin, keyId) => admin.deleteImportedKeyMaterial(keyId),
};

async function refusesUnclaimedByAdmin(kit: Kit): Promise<void> {
  const keyId = givenKeys(kit.subject.keys)[0]?.pair[0] ?? "some-key";
  for (const [operation, call] of Object.entries(ADMIN_CALLS)) {
    if (kit.administers(operation as AdminOperation)) continue;
    await kit.check.rejects(call(kit.admin, keyId), ["ERR_NOT_SUPPORTED"], `admin.${operation}, which is not claimed`);
  }
}

const SIGNATURES: readonly string[] = [
  ...["ECDSA_P256_SHA_256", "ECDSA_P384_SHA_384", "RSA_PKCS1_SHA_256", "RSA_PSS_SHA_256", "SM2DSA", "ML_DSA_65"],
  ...["ECDSA_P521_SHA_512", "ecdsa_p256_sha_256", "constructor", "__proto__", "toString", ""],
];
const ENCRYPTIONS: readonly string[] = [
  ...["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSAES_PKCS1_V1_5", "SM2_C1C3C2_ASN1"],
  ...["RSAES_OAEP_SHA_512", "rsaes_oaep_sha_1", "constructor", "__proto__", "toString", ""],
];

async function refusesAlgorithms(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const { signatureAlgorithms, asymmetricEncryptionAlgorithms } = provider.capabilities;
  // A known name that is not claimed meets a key of another spec, which may be what is said.
  const codes = ["ERR_NOT_SUPPORTED", "ERR_KEY_USAGE"];
  for (const name of SIGNATURES) {
    if (!kit.claims("sign") || signatureAlgorithms.length === 0) break;
    if (signatureAlgorithms.some((claimed) => claimed === name)) continue;
    const [keyId] = kit.signing(signatureAlgorithms[0] as SignatureAlgorithm);
    const sample = { keyId, bytes: new Uint8Array(32), signatureAlgorithm: name as SignatureAlgorithm };
    await check.rejects(callWith(provider, "sign", sample), codes, `sign with the unclaimed algorithm ${name}`);
    if (!kit.claims("verify")) continue;
    await check.rejects(callWith(provider, "verify", sample), codes, `verify with the unclaimed algorithm ${name}`);
  }
  for (const name of ENCRYPTIONS) {
    if (!kit.claims("asymmetricDecrypt") || asymmetricEncryptionAlgorithms.length === 0) break;
    if (asymmetricEncryptionAlgorithms.some((claimed) => claimed === name)) continue;
    const [keyId] = kit.decrypting(asymmetricEncryptionAlgorithms[0] as AsymmetricEncryptionAlgorithm);
    const encryptionAlgorithm = name as AsymmetricEncryptionAlgorithm;
    const call = callWith(provider, "asymmetricDecrypt", { keyId, bytes: new Uint8Array(256), encryptionAlgorithm });
    await check.rejects(call, codes, `asymmetricDecrypt with the unclaimed algorithm ${name}`);
  }
}

/** What is declared. */
export const capabilities: Area = {
  name: "capabilities",
  checks: [
    { name: "the declaration is whole and does not change", needs: {}, run: declares },
    { name: "keys resolve to full ids, and those to themselves", needs: {}, run: resolvesKeys },
    { name: "operations that are not claimed are not supported", needs: {}, run: refusesUnclaimed },
    {
      name: "admin operations that are not claimed are not supported",
      needs: { admin: [] },
      run: refusesUnclaimedByAdmin,
    },
    { name: "algorithms that are not claimed are not supported", needs: {}, run: refusesAlgorithms },
  ],
};
