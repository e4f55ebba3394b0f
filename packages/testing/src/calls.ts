// A right call of each operation, for the areas that are about every operation alike. It must not know what such an area demands.
import type {
  AsymmetricEncryptionAlgorithm,
  CallOptions,
  EncryptionContext,
  KeyProvider,
  ProviderOperation,
  SignatureAlgorithm,
} from "@fengni/core";
import { randomBytes } from "@fengni/crypto/random";
import { encryptIndependently } from "./independent.js";
import type { Kit } from "./kit.js";
import type { KeyPair } from "./subject.js";

/** Every operation of the contract. */
export const OPERATIONS: readonly ProviderOperation[] = [
  "generateDataKey",
  "encrypt",
  "decrypt",
  "reEncrypt",
  "sign",
  "verify",
  "getPublicKey",
  "asymmetricDecrypt",
  "postQuantumEncrypt",
  "postQuantumDecrypt",
];

/** What requests are made of. `bytes` is a plaintext, a message or a ciphertext, as the operation needs. */
export interface Sample {
  readonly keyId: string;
  readonly bytes: Uint8Array;
  readonly signature?: Uint8Array;
  readonly signatureAlgorithm?: SignatureAlgorithm;
  readonly encryptionAlgorithm?: AsymmetricEncryptionAlgorithm;
}

/** Calls an operation with a sample. */
export function callWith(
  provider: KeyProvider,
  operation: ProviderOperation,
  sample: Sample,
  options?: CallOptions,
): Promise<object> {
  const { keyId, bytes, signature = new Uint8Array(64) } = sample;
  const algorithm = sample.signatureAlgorithm ?? "ECDSA_P256_SHA_256";
  switch (operation) {
    case "generateDataKey":
      return provider.generateDataKey({ keyId, numberOfBytes: 32 }, options);
    case "encrypt":
      return provider.encrypt({ keyId, plaintext: bytes }, options);
    case "decrypt":
      return provider.decrypt({ keyId, ciphertext: bytes }, options);
    case "reEncrypt":
      return provider.reEncrypt({ destinationKeyId: keyId, ciphertext: bytes }, options);
    case "sign":
      return provider.sign({ keyId, algorithm, message: bytes }, options);
    case "verify":
      return provider.verify({ keyId, algorithm, message: bytes, signature }, options);
    case "getPublicKey":
      return provider.getPublicKey({ keyId }, options);
    case "asymmetricDecrypt": {
      const encryption = sample.encryptionAlgorithm ?? "RSAES_OAEP_SHA_256";
      return provider.asymmetricDecrypt({ keyId, algorithm: encryption, ciphertext: bytes }, options);
    }
    case "postQuantumEncrypt":
      return provider.postQuantumEncrypt({ keyId, plaintext: bytes }, options);
    case "postQuantumDecrypt":
      return provider.postQuantumDecrypt({ keyId, ciphertext: bytes }, options);
  }
}

/** Something sealed under a symmetric key, by whichever operation the provider claims. */
export interface SealedSample {
  readonly plaintext: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Seals 32 bytes under a symmetric key. */
export async function sealUnder(kit: Kit, keyId: string, encryptionContext?: EncryptionContext): Promise<SealedSample> {
  const context = encryptionContext === undefined ? {} : { encryptionContext };
  if (!kit.claims("encrypt")) {
    const request = { keyId, numberOfBytes: 32, ...context };
    return kit.check.resolves(kit.provider.generateDataKey(request), "generateDataKey");
  }
  const plaintext = randomBytes(32);
  const { ciphertext } = await kit.check.resolves(kit.provider.encrypt({ keyId, plaintext, ...context }), "encrypt");
  return { plaintext, ciphertext };
}

/** The first claimed algorithm with its keys. */
function firstSigner(kit: Kit): { readonly algorithm: SignatureAlgorithm; readonly pair: KeyPair } | undefined {
  const algorithm = kit.subject.provider.capabilities.signatureAlgorithms[0];
  return algorithm === undefined ? undefined : { algorithm, pair: kit.signing(algorithm) };
}

/**
 * A right sample for every operation that the provider claims and whose input the kit can make.
 * @param which - the key of each pair to take
 */
export async function rightSamples(kit: Kit, which: 0 | 1 = 0): Promise<ReadonlyMap<ProviderOperation, Sample>> {
  const { provider, check } = kit;
  const samples = new Map<ProviderOperation, Sample>();
  const add = (operation: ProviderOperation, sample: Sample): void => {
    if (kit.claims(operation)) samples.set(operation, sample);
  };
  const bytes = randomBytes(32);
  if (["generateDataKey", "encrypt", "decrypt", "reEncrypt"].some((name) => kit.claims(name as ProviderOperation))) {
    const keyId = kit.symmetric[which];
    add("generateDataKey", { keyId, bytes });
    add("encrypt", { keyId, bytes });
    if (kit.claims("encrypt") || kit.claims("generateDataKey")) {
      const { ciphertext } = await sealUnder(kit, keyId);
      add("decrypt", { keyId, bytes: ciphertext });
      add("reEncrypt", { keyId, bytes: ciphertext });
    }
  }
  const signer = kit.claims("sign") || kit.claims("verify") ? firstSigner(kit) : undefined;
  if (signer !== undefined) {
    const base = { keyId: signer.pair[which], bytes, signatureAlgorithm: signer.algorithm };
    add("sign", base);
    const made = kit.claims("sign") ? await check.resolves(callWith(provider, "sign", base), "sign") : undefined;
    if (made !== undefined && "signature" in made) add("verify", { ...base, signature: made.signature as Uint8Array });
    add("getPublicKey", base);
  }
  const encryptionAlgorithm = provider.capabilities.asymmetricEncryptionAlgorithms[0];
  if (encryptionAlgorithm !== undefined && kit.claims("asymmetricDecrypt") && kit.claims("getPublicKey")) {
    const keyId = kit.decrypting(encryptionAlgorithm)[which];
    const { publicKey } = await check.resolves(provider.getPublicKey({ keyId }), "getPublicKey");
    const [ciphertext] = await encryptIndependently(encryptionAlgorithm, publicKey, bytes);
    if (ciphertext !== undefined) add("asymmetricDecrypt", { keyId, bytes: ciphertext, encryptionAlgorithm });
    add("getPublicKey", { keyId, bytes });
  }
  if (kit.claims("postQuantumEncrypt")) {
    const keyId = kit.postQuantum[which];
    add("postQuantumEncrypt", { keyId, bytes });
    const { ciphertext } = await check.resolves(provider.postQuantumEncrypt({ keyId, plaintext: bytes }), "encrypt");
    add("postQuantumDecrypt", { keyId, bytes: ciphertext });
  }
  return samples;
}
