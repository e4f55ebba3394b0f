// Area: signatures, per algorithm. What the provider signs is verified by other implementations with the exported public key, and
// what it verifies is only what was signed.
import type { MessageType, SignatureAlgorithm } from "@fengni/core";
import { ecdsaPublicKeyFromSpki } from "@fengni/crypto/ecdsa";
import { mlDsaPublicKeyFromSpki } from "@fengni/crypto/ml-dsa";
import { randomBytes } from "@fengni/crypto/random";
import { importRsaPublicKey } from "@fengni/crypto/rsa";
import { importSm2PublicKey } from "@fengni/crypto/sm2";
import { digestFor, verifyIndependently } from "../independent.js";
import type { Area, Check, Kit } from "../kit.js";
import { extensions, fewFlips, type Mutation, noise, truncations } from "../mutations.js";
import { orderOf, readSignature, writeSignature, wrongEncodings } from "../signature-encoding.js";
import { expectSpki } from "../spki.js";

/** Signatures longer than this are changed and cut at a part of their bytes: verifying ML-DSA takes a while. */
const WHOLE_SIGNATURE = 300;

/** The spec that each algorithm's keys have, and what reads the exported key or throws. */
const KEYS: Readonly<Record<SignatureAlgorithm, readonly [spec: string, read: (spki: Uint8Array) => unknown]>> = {
  ECDSA_P256_SHA_256: ["ECC_P256", (spki) => ecdsaPublicKeyFromSpki("P-256", spki)],
  ECDSA_P384_SHA_384: ["ECC_P384", (spki) => ecdsaPublicKeyFromSpki("P-384", spki)],
  RSA_PKCS1_SHA_256: ["RSA_2048", (spki) => importRsaPublicKey(spki)],
  RSA_PSS_SHA_256: ["RSA_2048", (spki) => importRsaPublicKey(spki)],
  SM2DSA: ["SM2", (spki) => importSm2PublicKey(spki)],
  ML_DSA_65: ["ML_DSA_65", (spki) => mlDsaPublicKeyFromSpki("ML-DSA-65", spki)],
};

/** The keys of one algorithm, with what every check of it does. */
class Signer {
  readonly kit: Kit;
  readonly algorithm: SignatureAlgorithm;
  readonly keyId: string;
  readonly otherKeyId: string;

  constructor(kit: Kit, algorithm: SignatureAlgorithm) {
    this.kit = kit;
    this.algorithm = algorithm;
    [this.keyId, this.otherKeyId] = kit.signing(algorithm);
  }

  async publicKey(keyId: string = this.keyId): Promise<Uint8Array> {
    const { check, provider } = this.kit;
    const { publicKey } = await check.resolves(provider.getPublicKey({ keyId }), "getPublicKey");
    const [spec, read] = KEYS[this.algorithm];
    await expectSpki(check, spec, publicKey, read);
    return publicKey;
  }

  async sign(message: Uint8Array, messageType?: MessageType, keyId: string = this.keyId): Promise<Uint8Array> {
    const { check, provider } = this.kit;
    const request = { keyId, algorithm: this.algorithm, message, ...(messageType && { messageType }) };
    const signed = await check.resolves(provider.sign(request), "sign");
    check.equal(signed.algorithm, this.algorithm, "sign: its algorithm");
    check.equal(signed.keyId, await provider.resolveKeyId(keyId), "sign: its keyId");
    check.isBytes(signed.signature, "sign: its signature");
    return signed.signature;
  }

  async expect(
    valid: boolean,
    message: Uint8Array,
    signature: Uint8Array,
    what: string,
    messageType?: MessageType,
    keyId: string = this.keyId,
  ): Promise<void> {
    const { check, provider } = this.kit;
    const request = { keyId, algorithm: this.algorithm, message, signature, ...(messageType && { messageType }) };
    const verified = await check.resolves(provider.verify(request), `verify of ${what}`);
    check.equal(verified.valid, valid, `verify of ${what}: valid`);
    check.equal(verified.algorithm, this.algorithm, "verify: its algorithm");
  }
}

async function verifiesElsewhere(signer: Signer): Promise<void> {
  const { kit, algorithm } = signer;
  const { check, provider } = kit;
  const limit = provider.capabilities.maxMessageBytes;
  for (const keyId of [signer.keyId, signer.otherKeyId]) {
    const spki = await signer.publicKey(keyId);
    const sizes = [1, 31, 32, 33, 48, 64, 1000, limit].filter((n) => n <= limit);
    for (const message of [...sizes.map((size) => randomBytes(size)), new Uint8Array(32)]) {
      for (const messageType of ["raw", undefined] as const) {
        const signature = await signer.sign(message, messageType, keyId);
        const what = `the signature of ${message.length} bytes`;
        for (const { implementation, valid } of await verifyIndependently(algorithm, spki, message, signature)) {
          check.isTrue(valid, `${what}: expected ${implementation} to verify it with the exported public key`);
        }
        if (kit.claims("verify")) await signer.expect(true, message, signature, what, messageType, keyId);
      }
    }
  }
}

async function digests(signer: Signer): Promise<void> {
  const { kit, algorithm, keyId } = signer;
  const { check, provider } = kit;
  const message = randomBytes(100);
  const spki = await signer.publicKey();
  const digest = digestFor(algorithm, spki, message);
  if (digest === undefined) {
    for (const size of [32, 64]) {
      const call = provider.sign({ keyId, algorithm, message: randomBytes(size), messageType: "digest" });
      await check.refuses(call, "sign of a digest, where the algorithm has no digest form");
    }
    return;
  }
  const signature = await signer.sign(digest, "digest");
  for (const { implementation, valid } of await verifyIndependently(algorithm, spki, message, signature)) {
    check.isTrue(valid, `the signature of a digest: expected ${implementation} to verify it over the message`);
  }
  await signer.expect(true, digest, signature, "a digest's signature over the digest", "digest");
  await signer.expect(true, message, signature, "a digest's signature over the message", "raw");
  await signer.expect(
    true,
    digest,
    await signer.sign(message, "raw"),
    "a message's signature over the digest",
    "digest",
  );
  await signer.expect(false, digest, signature, "a digest's signature over the digest as a message", "raw");
  const rawOfDigest = await signer.sign(digest, "raw");
  await signer.expect(false, message, rawOfDigest, "the signature of a digest as a message, over the message", "raw");
  await signer.expect(false, digest, rawOfDigest, "the signature of a digest as a message, over the digest", "digest");
  for (const length of [0, 1, 20, digest.length - 1, digest.length + 1, 2 * digest.length, 4096]) {
    const wrong = { keyId, algorithm, message: randomBytes(length), messageType: "digest" } as const;
    await check.refuses(provider.sign(wrong), `sign of a digest of ${length} bytes`);
    await check.refuses(provider.verify({ ...wrong, signature }), `verify of a digest of ${length} bytes`);
  }
}

async function limits(signer: Signer): Promise<void> {
  const { kit, algorithm, keyId } = signer;
  const { check, provider } = kit;
  const message = randomBytes(provider.capabilities.maxMessageBytes + 1);
  await check.rejects(provider.sign({ keyId, algorithm, message }), ["ERR_LIMIT"], "sign of more than the limit");
  const request = { keyId, algorithm, message, signature: new Uint8Array(64) };
  if (kit.claims("verify"))
    await check.rejects(provider.verify(request), ["ERR_LIMIT"], "verify of more than the limit");
  const messageType = "hash" as MessageType;
  const unknown = provider.sign({ keyId, algorithm, message: randomBytes(32), messageType });
  await check.refuses(unknown, "sign of an unknown messageType");
  const missing = provider.sign({ keyId: "no-such-key-of-the-kit", algorithm, message: randomBytes(32) });
  await check.rejects(missing, ["ERR_KEY_NOT_FOUND"], "sign with an unknown key");
}

async function refusesChanges(signer: Signer): Promise<void> {
  const message = randomBytes(64);
  const signature = await signer.sign(message);
  const wrong: Mutation[] = [
    ...fewFlips(signature, WHOLE_SIGNATURE),
    ...truncations(signature, WHOLE_SIGNATURE),
    ...extensions(signature),
    ...noise(),
    { name: "no bytes", bytes: new Uint8Array(0) },
    { name: "zeros", bytes: new Uint8Array(signature.length) },
    { name: "ones", bytes: new Uint8Array(signature.length).fill(255) },
    { name: "the signature of another message", bytes: await signer.sign(randomBytes(64)) },
    { name: "the signature of another key", bytes: await signer.sign(message, "raw", signer.otherKeyId) },
  ];
  for (const { name, bytes } of wrong) await signer.expect(false, message, bytes, `a signature, ${name}`);
  for (const { name, bytes } of [...fewFlips(message), ...extensions(message)]) {
    await signer.expect(false, bytes, signature, `a signature over a changed message, ${name}`);
  }
  await signer.expect(false, message, signature, "a signature with another key", "raw", signer.otherKeyId);
  await signer.expect(true, message, signature, "the same signature again, after all the wrong ones");
}

async function encodings(signer: Signer): Promise<void> {
  const { kit, algorithm } = signer;
  const order = orderOf(algorithm);
  const message = randomBytes(64);
  const signature = await signer.sign(message);
  if (order === undefined) return rsaEncodings(signer, message, signature);
  const numbers = readSignature(signature);
  kit.check.isTrue(numbers !== undefined, "sign: expected a signature in strict DER");
  if (numbers === undefined) return;
  for (const { name, bytes } of wrongEncodings(numbers, order)) {
    await signer.expect(false, message, bytes, `a signature, ${name}`);
  }
  // FIPS 186-5 section 6.4.2 accepts n - s with the same r: verifiers that refuse it refuse half of other software's signatures.
  // GB/T 32918.2 section 7.1 computes with r + s, so that n - s there is another, wrong signature.
  const isEcdsa = algorithm !== "SM2DSA";
  const mirrored = writeSignature({ r: numbers.r, s: order - numbers.s });
  await signer.expect(isEcdsa, message, mirrored, "a signature with n - s in place of s");
  const values = new Set<bigint>();
  for (let i = 0; i < 16; i++) {
    const parts = readSignature(await signer.sign(randomBytes(32)));
    if (parts !== undefined) values.add(parts.r);
  }
  kit.check.equal(values.size, 16, "sign: different r of 16 messages (a nonce that comes twice gives the key away)");
}

/** RFC 8017 sections 8.1.2 and 8.2.2: as long as the modulus, and below it. */
async function rsaEncodings(signer: Signer, message: Uint8Array, signature: Uint8Array): Promise<void> {
  const { kit, algorithm } = signer;
  if (algorithm === "ML_DSA_65")
    return kit.check.equal(signature.length, 3309, "sign: length of an ML-DSA-65 signature");
  kit.check.equal(signature.length, 256, "sign: length of an RSA-2048 signature");
  const other: SignatureAlgorithm = algorithm === "RSA_PSS_SHA_256" ? "RSA_PKCS1_SHA_256" : "RSA_PSS_SHA_256";
  if (!kit.provider.capabilities.signatureAlgorithms.includes(other)) return;
  const request = { keyId: signer.keyId, algorithm: other, message, signature };
  const verified = await kit.check.resolves(kit.provider.verify(request), "verify with the other scheme");
  kit.check.equal(verified.valid, false, `a signature of ${algorithm}, verified as ${other}: valid`);
}

async function publicKeys(signer: Signer): Promise<void> {
  const { kit, algorithm } = signer;
  const { check, provider } = kit;
  const [spec, read] = KEYS[algorithm];
  const seen = new Set<string>();
  for (const keyId of [signer.keyId, signer.otherKeyId]) {
    const key = await check.resolves(provider.getPublicKey({ keyId }), "getPublicKey");
    check.equal(key.keyId, await provider.resolveKeyId(keyId), "getPublicKey: its keyId");
    check.equal(key.keySpec, spec, "getPublicKey: its keySpec");
    check.equal(key.keyUsage, "sign-verify", "getPublicKey: its keyUsage");
    await expectSpki(check, spec, key.publicKey, read);
    check.sameBytes(await signer.publicKey(keyId), key.publicKey, "getPublicKey, called again");
    seen.add(key.publicKey.join());
  }
  check.equal(seen.size, 2, "getPublicKey: different public keys of two keys");
  const unknown = provider.getPublicKey({ keyId: "no-such-key-of-the-kit" });
  await check.rejects(unknown, ["ERR_KEY_NOT_FOUND"], "getPublicKey of an unknown key");
}

async function otherSpecs(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const claimed = provider.capabilities.signatureAlgorithms;
  const message = randomBytes(32);
  for (const algorithm of claimed) {
    const foreign = claimed.find((other) => KEYS[other][0] !== KEYS[algorithm][0]);
    if (foreign === undefined) continue;
    const [keyId] = kit.signing(foreign);
    const what = `sign with ${algorithm} by a key of ${foreign}`;
    await check.rejects(provider.sign({ keyId, algorithm, message }), ["ERR_KEY_USAGE"], what);
    if (!kit.claims("verify")) continue;
    const call = provider.verify({ keyId, algorithm, message, signature: new Uint8Array(64) });
    await check.rejects(call, ["ERR_KEY_USAGE"], `verify with ${algorithm} by a key of ${foreign}`);
  }
}

const checksOf = (signature: SignatureAlgorithm): Check[] => {
  const check = (
    name: string,
    operations: readonly ("sign" | "verify" | "getPublicKey")[],
    run: (signer: Signer) => Promise<void>,
  ): Check => ({
    name: `${signature}: ${name}`,
    needs: { operations, signature },
    run: (kit) => run(new Signer(kit, signature)),
  });
  return [
    check("other implementations verify with the exported key", ["sign", "getPublicKey"], verifiesElsewhere),
    check("a digest is signed as the message it is of", ["sign", "verify", "getPublicKey"], digests),
    check("messages beyond the limit and unknown keys are refused", ["sign"], limits),
    check("changed signatures and messages are not valid", ["sign", "verify"], refusesChanges),
    check("other encodings of a signature are not valid", ["sign", "verify"], encodings),
    check("the public key is of the algorithm, and stays the same", ["getPublicKey"], publicKeys),
  ];
};

/** Signatures. */
export const signVerify: Area = {
  name: "sign-verify",
  checks: [
    ...(Object.keys(KEYS) as SignatureAlgorithm[]).flatMap(checksOf),
    { name: "keys of one algorithm do not sign with another", needs: { operations: ["sign"] }, run: otherSpecs },
  ],
};
