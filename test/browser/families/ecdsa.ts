// ECDSA in the browser: verification by the vectors of Wycheproof, signing against WebCrypto. It must not know how it is done.
import { hexToBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import {
  derSignatureToRaw,
  type EcdsaCurve,
  type EcdsaImplementation,
  ecdsaImplementations,
  ecdsaPublicKeyFromSpki,
  ecdsaPublicKeyToSpki,
  rawSignatureToDer,
} from "@fengni/crypto/ecdsa";
import {
  type Emit,
  equal,
  expectNames,
  flipped,
  refused,
  runOwn,
  runWycheproof,
  same,
  type WycheproofCase,
} from "../harness.js";

interface SignatureGroup {
  readonly publicKeyDer: string;
  readonly tests: readonly (WycheproofCase & Readonly<Record<"msg" | "sig", string>>)[];
}

const curves: readonly EcdsaCurve[] = ["P-256", "P-384"];
const hashOf = { "P-256": "SHA-256", "P-384": "SHA-384" } as const;
const text = utf8ToBytes("a message");

async function vectors(emit: Emit, implementation: EcdsaImplementation): Promise<void> {
  for (const [curve, name, encoding, valid, invalid] of [
    ["P-256", "ecdsa_secp256r1_sha256_test.json", "der", 174, 310],
    ["P-384", "ecdsa_secp384r1_sha384_test.json", "der", 194, 310],
    ["P-256", "ecdsa_secp256r1_sha256_p1363_test.json", "raw", 173, 89],
    ["P-384", "ecdsa_secp384r1_sha384_p1363_test.json", "raw", 193, 87],
  ] as const) {
    await runWycheproof<SignatureGroup>(emit, {
      name,
      implementation: implementation.name,
      expected: { valid, invalid },
      check: async (test, group) => {
        const point = ecdsaPublicKeyFromSpki(curve, hexToBytes(group.publicKeyDer));
        const key = implementation.importPublicKey(curve, point);
        const [message, signature] = [hexToBytes(test.msg), hexToBytes(test.sig)];
        const isValid = test.result === "valid";
        equal(key.verify(message, signature, encoding), isValid, "whole");
        const verifier = key.createVerifier();
        for (const part of [message.subarray(0, 5), message.subarray(5)]) verifier.update(part);
        equal(verifier.verify(signature, encoding), isValid, "in parts");
        if (encoding === "raw" && isValid) {
          const der = rawSignatureToDer(curve, signature);
          same(derSignatureToRaw(curve, der), signature, "through DER");
        }
        return test.result;
      },
    });
  }
}

/** The browser's own ECDSA verifies what is signed here, and the other way round. */
async function againstWebCrypto(emit: Emit, implementation: EcdsaImplementation): Promise<void> {
  const cases = curves.flatMap((curve) => {
    const algorithm = { name: "ECDSA", namedCurve: curve, hash: hashOf[curve] };
    const key = implementation.generateKey(curve);
    const own = implementation.importPublicKey(curve, key.publicKey);
    const theirs = (): Promise<CryptoKey> => {
      const spki = new Uint8Array(ecdsaPublicKeyToSpki(curve, key.publicKey));
      return crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
    };
    const signs = async (): Promise<void> => {
      const signer = key.createSigner();
      signer.update(text);
      const message = new Uint8Array(text);
      for (const raw of [key.sign(text, "raw"), signer.sign("raw"), derSignatureToRaw(curve, key.sign(text))]) {
        const signature = new Uint8Array(raw);
        equal(await crypto.subtle.verify(algorithm, await theirs(), signature, message), true, "WebCrypto verifies");
        equal(own.verify(text, signature, "raw"), true, "verifies");
        equal(own.verify(text, flipped(signature, 40), "raw"), false, "verifies what was changed");
      }
    };
    const verifies = async (): Promise<void> => {
      const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
      const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
      const signature = new Uint8Array(await crypto.subtle.sign(algorithm, pair.privateKey, new Uint8Array(text)));
      const publicKey = implementation.importPublicKey(curve, ecdsaPublicKeyFromSpki(curve, spki));
      equal(publicKey.verify(text, signature, "raw"), true, "raw");
      equal(publicKey.verify(text, rawSignatureToDer(curve, signature)), true, "DER");
      const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
      same(implementation.importPrivateKey(curve, pkcs8).publicKey, publicKey.publicKey, "public key of PKCS#8");
    };
    const keys = async (): Promise<void> => {
      const again = implementation.importPrivateKey(curve, key.exportPkcs8());
      same(again.publicKey, key.publicKey, "public key");
      await refused(
        () => implementation.importPublicKey(curve, flipped(key.publicKey, 0).subarray(1)),
        "ERR_KEY_INVALID",
      );
    };
    return [
      [`${curve} signs what WebCrypto verifies`, signs],
      [`${curve} verifies what WebCrypto signs, and reads its keys`, verifies],
      [`${curve} reads its own PKCS#8`, keys],
    ] as const;
  });
  await runOwn(emit, "ECDSA against WebCrypto", implementation.name, Object.fromEntries(cases));
}

export async function ecdsa(emit: Emit): Promise<void> {
  const implementations = ecdsaImplementations();
  expectNames(implementations, ["noble"]);
  for (const implementation of implementations) {
    await vectors(emit, implementation);
    await againstWebCrypto(emit, implementation);
  }
}
