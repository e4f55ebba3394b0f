// Signing keys: signatures that other software verifies and makes, in both forms of the message.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import { LocalKms } from "@fengni/backend-local";
import type { KeySpec, MessageType, SignatureAlgorithm } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { MemoryKeyStore } from "../src/store-memory.js";
import { codeOf, errorOf, filled, kmsWithKey, withBitFlipped } from "./support.js";

const SPECS: readonly { keySpec: KeySpec; algorithm: SignatureAlgorithm; hash: string; curve: string }[] = [
  { keySpec: "ECC_P256", algorithm: "ECDSA_P256_SHA_256", hash: "sha256", curve: "prime256v1" },
  { keySpec: "ECC_P384", algorithm: "ECDSA_P384_SHA_384", hash: "sha384", curve: "secp384r1" },
];

describe.each(SPECS)("$keySpec", ({ keySpec, algorithm, hash, curve }) => {
  const message = filled(300, 3);
  const digest = createHash(hash).update(message).digest();
  const forms: readonly [MessageType, Uint8Array][] = [
    ["raw", message],
    ["digest", digest],
  ];

  async function signed(): Promise<{ kms: LocalKms; keyId: string; signatures: Record<MessageType, Uint8Array> }> {
    const { kms, keyId } = await kmsWithKey({}, keySpec);
    const raw = await kms.sign({ keyId, algorithm, message });
    const digested = await kms.sign({ keyId, algorithm, message: digest, messageType: "digest" });
    expect(raw).toMatchObject({ keyId, algorithm });
    return { kms, keyId, signatures: { raw: raw.signature, digest: digested.signature } };
  }

  test("signatures of either form verify as either form, and by node:crypto", async () => {
    const { kms, keyId, signatures } = await signed();
    const { publicKey, ...about } = await kms.getPublicKey({ keyId });
    expect(about).toEqual({ keyId, keySpec, keyUsage: "sign-verify" });
    const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
    expect(key.asymmetricKeyDetails?.namedCurve).toBe(curve);
    for (const signature of Object.values(signatures)) {
      expect(nodeVerify(hash, message, key, signature)).toBe(true);
      for (const [messageType, bytes] of forms) {
        const answer = await kms.verify({ keyId, algorithm, message: bytes, messageType, signature });
        expect(answer).toEqual({ keyId, algorithm, valid: true });
      }
    }
  });

  test("signatures of node:crypto under another key do not verify", async () => {
    const { kms, keyId } = await signed();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: curve });
    const signature = nodeSign(hash, message, privateKey);
    expect((await kms.verify({ keyId, algorithm, message, signature })).valid).toBe(false);
  });

  test("whatever else is given as a signature is false, not an error", async () => {
    const { kms, keyId, signatures } = await signed();
    const { raw } = signatures;
    const wrong = [filled(0), filled(1), filled(5000), raw.subarray(1), Buffer.concat([raw, filled(1)])];
    for (let bit = 0; bit < 8 * raw.length; bit += 37) wrong.push(withBitFlipped(raw, bit));
    for (const signature of wrong) {
      expect((await kms.verify({ keyId, algorithm, message, signature })).valid).toBe(false);
    }
    const other = await kms.verify({ keyId, algorithm, message: withBitFlipped(message, 9), signature: raw });
    expect(other.valid).toBe(false);
    expect(await codeOf(kms.verify({ keyId, algorithm, message, signature: "" as never }))).toBe("ERR_ARGUMENT");
  });

  test("the algorithm must be the key's, and the key a signing key", async () => {
    const { kms, keyId, signatures } = await signed();
    const { keyId: symmetric } = await kms.lifecycle.createKey();
    const other = SPECS.find((spec) => spec.keySpec !== keySpec)?.algorithm as SignatureAlgorithm;
    for (const call of [
      kms.sign({ keyId, algorithm: other, message }),
      kms.verify({ keyId, algorithm: other, message, signature: signatures.raw }),
    ]) {
      expect(await errorOf(call)).toMatchObject({ code: "ERR_KEY_USAGE", details: { keyId } });
    }
    for (const call of [
      kms.sign({ keyId: symmetric, algorithm, message }),
      kms.verify({ keyId: symmetric, algorithm, message, signature: signatures.raw }),
      kms.getPublicKey({ keyId: symmetric }),
    ]) {
      expect(await errorOf(call)).toMatchObject({ code: "ERR_KEY_USAGE", details: { keyId: symmetric } });
    }
  });
});

test("using and rotating keys leaves the stored material as it was", async () => {
  const store = new MemoryKeyStore();
  const kms = new LocalKms({ store });
  for (const { keySpec, algorithm } of SPECS) {
    const { keyId } = await kms.lifecycle.createKey({ keySpec });
    const material = store.view().get(keyId)?.versions[0]?.material.bytes() as Uint8Array;
    const before = Uint8Array.from(material);
    await kms.sign({ keyId, algorithm, message: filled(3) });
    await kms.getPublicKey({ keyId });
    await kms.lifecycle.updateDescription(keyId, "new");
    expect(material).toEqual(before);
    expect(createPrivateKey({ key: Buffer.from(material), format: "der", type: "pkcs8" }).type).toBe("private");
  }
});
