// Area: decryption with private keys, per algorithm, of what other implementations encrypted to the exported public key.
import type { AsymmetricEncryptionAlgorithm } from "@fengni/core";
import { concatBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { importRsaPublicKey } from "@fengni/crypto/rsa";
import { importSm2PublicKey } from "@fengni/crypto/sm2";
import { ConformanceFailure, isArgumentError } from "../assert.js";
import { encryptIndependently, encryptPadded } from "../independent.js";
import type { Area, Check, Kit } from "../kit.js";
import { CHANGED_CODES, extensions, fewFlips, type Mutation, noise, truncations } from "../mutations.js";
import { expectSpki } from "../spki.js";

/** Longest plaintext of each algorithm: RFC 8017 sections 7.1.1 and 7.2.1 with 2048 bits; SM2 takes what a service's 256 bytes carry. */
const LONGEST: Readonly<Record<AsymmetricEncryptionAlgorithm, number>> = {
  RSAES_OAEP_SHA_1: 214,
  RSAES_OAEP_SHA_256: 190,
  RSAES_PKCS1_V1_5: 245,
  SM2_C1C3C2_ASN1: 128,
};
const ALGORITHMS = Object.keys(LONGEST) as AsymmetricEncryptionAlgorithm[];

async function publicKeyOf(kit: Kit, keyId: string): Promise<Uint8Array> {
  const key = await kit.check.resolves(kit.provider.getPublicKey({ keyId }), "getPublicKey");
  const read = key.keySpec === "SM2" ? importSm2PublicKey : importRsaPublicKey;
  await expectSpki(kit.check, key.keySpec, key.publicKey, (spki) => read(spki));
  return key.publicKey;
}

async function oneCiphertext(
  kit: Kit,
  algorithm: AsymmetricEncryptionAlgorithm,
  keyId: string,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const [ciphertext] = await encryptIndependently(algorithm, await publicKeyOf(kit, keyId), plaintext);
  kit.check.isTrue(ciphertext !== undefined, `this runtime cannot encrypt with ${algorithm}: run the kit on another`);
  return ciphertext as Uint8Array;
}

async function opens(kit: Kit, algorithm: AsymmetricEncryptionAlgorithm): Promise<void> {
  const { check, provider } = kit;
  for (const keyId of kit.decrypting(algorithm)) {
    const key = await check.resolves(provider.getPublicKey({ keyId }), "getPublicKey");
    check.equal(key.keyUsage, "asymmetric-decrypt", "getPublicKey: its keyUsage");
    check.equal(key.keySpec, algorithm === "SM2_C1C3C2_ASN1" ? "SM2" : "RSA_2048", "getPublicKey: its keySpec");
    const spki = await publicKeyOf(kit, keyId);
    const longest = LONGEST[algorithm];
    for (const size of [1, 16, 31, 32, 33, 64, longest - 1, longest]) {
      for (const plaintext of [randomBytes(size), new Uint8Array(size)]) {
        const ciphertexts = await encryptIndependently(algorithm, spki, plaintext);
        for (const ciphertext of ciphertexts) {
          const what = `asymmetricDecrypt of ${size} bytes`;
          const opened = await check.resolves(provider.asymmetricDecrypt({ keyId, algorithm, ciphertext }), what);
          check.sameBytes(opened.plaintext, plaintext, what);
          check.equal(opened.keyId, await provider.resolveKeyId(keyId), `${what}: its keyId`);
        }
      }
    }
  }
}

/**
 * A wrong ciphertext. PKCS#1 v1.5 may answer it with other bytes (implicit rejection, so that nobody can ask whether a padding was
 * right), but never with the plaintext.
 */
async function refuses(
  kit: Kit,
  algorithm: AsymmetricEncryptionAlgorithm,
  keyId: string,
  mutation: Mutation,
  plaintext: Uint8Array,
): Promise<void> {
  const { check, provider } = kit;
  const what = `asymmetricDecrypt of ${mutation.name}`;
  const call = provider.asymmetricDecrypt({ keyId, algorithm, ciphertext: mutation.bytes });
  if (algorithm !== "RSAES_PKCS1_V1_5") {
    await check.rejects(call, [...CHANGED_CODES, "ERR_LIMIT"], what);
    return;
  }
  const opened = await call.catch((error: unknown) => ({ error }));
  if ("plaintext" in opened) return check.otherBytes(opened.plaintext, plaintext, what);
  await check.refuses(Promise.reject(opened.error), what);
}

async function tampering(kit: Kit, algorithm: AsymmetricEncryptionAlgorithm): Promise<void> {
  const [keyId, other] = kit.decrypting(algorithm);
  const plaintext = randomBytes(32);
  const ciphertext = await oneCiphertext(kit, algorithm, keyId, plaintext);
  const wrong = [...fewFlips(ciphertext), ...truncations(ciphertext), ...extensions(ciphertext), ...noise()];
  for (const mutation of wrong) await refuses(kit, algorithm, keyId, mutation, plaintext);
  await refuses(kit, algorithm, other, { name: "what is for another key", bytes: ciphertext }, plaintext);
  const empty = kit.provider.asymmetricDecrypt({ keyId, algorithm, ciphertext: new Uint8Array(0) });
  await kit.check.refuses(empty, "asymmetricDecrypt of no bytes");
}

/** Padded messages of 256 bytes that RFC 8017 section 7.2.2 forbids, each for another reason. */
function wrongPaddings(): Uint8Array[] {
  const filled = (...beginning: readonly number[]): Uint8Array => {
    const padded = randomBytes(256).map((byte) => byte | 1);
    padded.set(beginning);
    return padded;
  };
  const ended = filled(0, 1);
  ended[100] = 0;
  const soon = filled(0, 2);
  soon[5] = 0;
  const large = filled(1, 2);
  large[100] = 0;
  return [filled(0, 2), soon, ended, large, filled(0, 0), new Uint8Array(256)];
}

/** Whether a padding was right must not be told: all wrong ones get one kind of answer. */
async function noOracle(kit: Kit): Promise<void> {
  const algorithm = "RSAES_PKCS1_V1_5";
  const { check, provider } = kit;
  const [keyId] = kit.decrypting(algorithm);
  const spki = await publicKeyOf(kit, keyId);
  const answers = new Set<string>();
  // The first byte 0 keeps random numbers below the modulus, so that nothing but the padding is wrong.
  const random = Array.from({ length: 16 }, () => concatBytes(new Uint8Array(1), randomBytes(255)));
  const made = Array.from({ length: 4 }, wrongPaddings).flat();
  for (const ciphertext of [...random, ...made.map((padded) => encryptPadded(spki, padded))]) {
    try {
      await provider.asymmetricDecrypt({ keyId, algorithm, ciphertext });
      answers.add("an answer");
    } catch (error) {
      if (error instanceof ConformanceFailure) throw error;
      const code = error instanceof Error && "code" in error ? String(error.code) : "no code";
      answers.add(`${isArgumentError(error) ? "argument" : "rejection"} ${code}`);
    }
  }
  check.equal(answers.size, 1, "asymmetricDecrypt of wrong PKCS#1 v1.5 paddings: different kinds of answers");
}

async function otherAlgorithms(kit: Kit, algorithm: AsymmetricEncryptionAlgorithm): Promise<void> {
  const { check, provider } = kit;
  const { asymmetricEncryptionAlgorithms } = provider.capabilities;
  const [keyId] = kit.decrypting(algorithm);
  const plaintext = randomBytes(32);
  for (const other of asymmetricEncryptionAlgorithms) {
    if (other === algorithm) continue;
    const isSameSpec = (other === "SM2_C1C3C2_ASN1") === (algorithm === "SM2_C1C3C2_ASN1");
    const ciphertext = await oneCiphertext(kit, other, isSameSpec ? keyId : kit.decrypting(other)[0], plaintext);
    const mutation = { name: `what was encrypted with ${other}`, bytes: ciphertext };
    await refuses(kit, algorithm, keyId, mutation, plaintext);
    if (isSameSpec) continue;
    // A ciphertext of the right form, so that nothing but the key is wrong.
    const own = await oneCiphertext(kit, algorithm, keyId, plaintext);
    const call = provider.asymmetricDecrypt({ keyId: kit.decrypting(other)[0], algorithm, ciphertext: own });
    await check.rejects(call, ["ERR_KEY_USAGE"], `asymmetricDecrypt with ${algorithm} by a key of ${other}`);
  }
  const unknown = provider.asymmetricDecrypt({
    keyId: "no-such-key-of-the-kit",
    algorithm,
    ciphertext: randomBytes(256),
  });
  await check.rejects(unknown, ["ERR_KEY_NOT_FOUND"], "asymmetricDecrypt with an unknown key");
}

/** GM/T 0009-2012 7.2: C3 stands before C2, in ASN.1. The older order and the bare bytes are other formats. */
async function sm2Orders(kit: Kit): Promise<void> {
  const algorithm = "SM2_C1C3C2_ASN1";
  const [keyId] = kit.decrypting(algorithm);
  const plaintext = randomBytes(32);
  const spki = await publicKeyOf(kit, keyId);
  const right = await oneCiphertext(kit, algorithm, keyId, plaintext);
  // C3 and C2 are the last two OCTET STRINGs, each of 2 + 32 bytes here.
  const border = right.length - 68;
  const swapped = concatBytes(
    right.subarray(0, border),
    right.subarray(border + 34),
    right.subarray(border, border + 34),
  );
  await refuses(kit, algorithm, keyId, { name: "C2 and C3 exchanged", bytes: swapped }, plaintext);
  const bare = Uint8Array.from(importSm2PublicKey(spki).encrypt(plaintext, { format: "c1c3c2" }));
  await refuses(kit, algorithm, keyId, { name: "a ciphertext without ASN.1", bytes: bare }, plaintext);
}

const checksOf = (encryption: AsymmetricEncryptionAlgorithm): Check[] => {
  const needs = { operations: ["asymmetricDecrypt", "getPublicKey"], encryption } as const;
  const check = (name: string, run: (kit: Kit, algorithm: AsymmetricEncryptionAlgorithm) => Promise<void>): Check => ({
    name: `${encryption}: ${name}`,
    needs,
    run: (kit) => run(kit, encryption),
  });
  return [
    check("what others encrypted to the exported key opens", opens),
    check("a change of any byte, another length and another key do not open", tampering),
    check("another algorithm's ciphertext and key are refused", otherAlgorithms),
    ...(encryption === "RSAES_PKCS1_V1_5" ? [check("it does not tell whether a padding was right", noOracle)] : []),
    ...(encryption === "SM2_C1C3C2_ASN1" ? [check("other formats of SM2 are refused", sm2Orders)] : []),
  ];
};

/** Asymmetric decryption. */
export const asymmetricDecrypt: Area = { name: "asymmetric-decrypt", checks: ALGORITHMS.flatMap(checksOf) };
