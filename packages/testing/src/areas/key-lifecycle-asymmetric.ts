// A part of the area key-lifecycle: what the states of signing, decrypting and post-quantum keys refuse.
import type { CreateKeyRequest, KeyState, ProviderOperation } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { callWith, type Sample } from "../calls.js";
import { encryptIndependently } from "../independent.js";
import type { Check, Kit } from "../kit.js";

/** A use of a key: whether an archived key still does it, and a right sample of it. */
interface Use {
  readonly operation: ProviderOperation;
  readonly opens: boolean;
  readonly sample: Sample;
}

/** Makes a key and right samples of all that it does; undefined where the provider does not claim it. */
type MakeUses = (kit: Kit) => Promise<readonly Use[] | undefined>;

const SIGNING = { ECDSA_P256_SHA_256: "ECC_P256", ECDSA_P384_SHA_384: "ECC_P384", SM2DSA: "SM2" } as const;

/** Makes a key, and gives its alias: answers must carry the full id all the same. */
async function create(kit: Kit, request: CreateKeyRequest): Promise<string> {
  const alias = `kit-${bytesToHex(randomBytes(8))}`;
  await kit.createKey({ ...request, alias });
  return alias;
}

const signing: MakeUses = async (kit) => {
  const { provider, check } = kit;
  const algorithms = Object.keys(SIGNING) as (keyof typeof SIGNING)[];
  const algorithm = algorithms.find((name) => provider.capabilities.signatureAlgorithms.includes(name));
  if (algorithm === undefined || !kit.claims("sign")) return undefined;
  const keyId = await create(kit, { keySpec: SIGNING[algorithm], keyUsage: "sign-verify" });
  const message = randomBytes(32);
  const { signature } = await check.resolves(provider.sign({ keyId, algorithm, message }), "sign with a new key");
  const sample = { keyId, bytes: message, signatureAlgorithm: algorithm, signature };
  return [
    { operation: "sign", opens: false, sample },
    { operation: "verify", opens: true, sample },
  ];
};

const decrypting: MakeUses = async (kit) => {
  const { provider, check } = kit;
  const [algorithm] = provider.capabilities.asymmetricEncryptionAlgorithms;
  if (algorithm === undefined || !kit.claims("asymmetricDecrypt") || !kit.claims("getPublicKey")) return undefined;
  const keySpec = algorithm === "SM2_C1C3C2_ASN1" ? "SM2" : "RSA_2048";
  const keyId = await create(kit, { keySpec, keyUsage: "asymmetric-decrypt" });
  const { publicKey, keyId: full } = await check.resolves(
    provider.getPublicKey({ keyId }),
    "getPublicKey of a new key",
  );
  check.equal(full, await provider.resolveKeyId(keyId), "getPublicKey with an alias: its keyId");
  const [bytes] = await encryptIndependently(algorithm, publicKey, randomBytes(32));
  if (bytes === undefined) return undefined;
  return [{ operation: "asymmetricDecrypt", opens: true, sample: { keyId, bytes, encryptionAlgorithm: algorithm } }];
};

const postQuantum: MakeUses = async (kit) => {
  const { provider, check } = kit;
  if (!kit.claims("postQuantumEncrypt")) return undefined;
  const keyId = await create(kit, { keySpec: "ML_KEM_768" });
  const plaintext = randomBytes(32);
  const { ciphertext } = await check.resolves(provider.postQuantumEncrypt({ keyId, plaintext }), "postQuantumEncrypt");
  return [
    { operation: "postQuantumEncrypt", opens: false, sample: { keyId, bytes: plaintext } },
    { operation: "postQuantumDecrypt", opens: true, sample: { keyId, bytes: ciphertext } },
  ];
};

async function expectUses(kit: Kit, uses: readonly Use[], state: KeyState): Promise<void> {
  for (const { operation, opens, sample } of uses) {
    if (!kit.claims(operation)) continue;
    const call = callWith(kit.provider, operation, sample);
    const what = `${operation} with a key that is ${state}`;
    if (state !== "enabled" && !(state === "archived" && opens)) await kit.check.rejects(call, ["ERR_KEY_STATE"], what);
    else {
      const answer = await kit.check.resolves(call, what);
      const full = await kit.check.resolves(kit.provider.resolveKeyId(sample.keyId), "resolveKeyId of an alias");
      kit.check.equal("keyId" in answer ? answer.keyId : undefined, full, `${what}, with an alias: its keyId`);
      if ("valid" in answer) kit.check.equal(answer.valid, true, `${what}: valid`);
    }
  }
}

async function states(kit: Kit, make: MakeUses): Promise<void> {
  const { check, provider, admin } = kit;
  const uses = await make(kit);
  const keyId = uses?.[0]?.sample.keyId;
  if (uses === undefined || keyId === undefined) return;
  await expectUses(kit, uses, "enabled");
  await check.resolves(admin.disableKey(keyId), "disableKey");
  await expectUses(kit, uses, "disabled");
  if (kit.claims("encrypt")) {
    const encrypt = provider.encrypt({ keyId, plaintext: randomBytes(16) });
    await check.rejects(encrypt, ["ERR_KEY_USAGE"], "encrypt with a disabled key of another usage");
  }
  if (kit.administers("scheduleKeyDeletion") && kit.administers("cancelKeyDeletion")) {
    await check.resolves(admin.scheduleKeyDeletion(keyId, 7), "scheduleKeyDeletion");
    await expectUses(kit, uses, "pending-deletion");
    await check.resolves(admin.cancelKeyDeletion(keyId), "cancelKeyDeletion");
  }
  await check.resolves(admin.enableKey(keyId), "enableKey");
  if (kit.administers("archiveKey") && kit.administers("cancelKeyArchive")) {
    await check.resolves(admin.archiveKey(keyId), "archiveKey");
    await expectUses(kit, uses, "archived");
    await check.resolves(admin.cancelKeyArchive(keyId), "cancelKeyArchive");
  }
  await expectUses(kit, uses, "enabled");
}

const admin = ["createKey", "disableKey", "enableKey"] as const;

/** The checks of asymmetric keys. */
export const asymmetricStates: readonly Check[] = [
  {
    name: "signing keys keep to their states",
    needs: { operations: ["sign"], admin },
    run: (kit) => states(kit, signing),
  },
  {
    name: "decrypting keys keep to their states",
    needs: { operations: ["asymmetricDecrypt", "getPublicKey"], admin },
    run: (kit) => states(kit, decrypting),
  },
  {
    name: "post-quantum keys keep to their states",
    needs: { operations: ["postQuantumEncrypt", "postQuantumDecrypt"], admin },
    run: (kit) => states(kit, postQuantum),
  },
];
