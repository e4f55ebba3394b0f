// Providers that sign something else than the message, or in another form.
import { FengniError } from "@fengni/core";
import { bytesToHex, concatBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { importSm2PublicKey } from "@fengni/crypto/sm2";
import type { InMemoryMaterial } from "../../src/in-memory-material.js";
import { readSignature, writeSignature } from "../../src/signature-encoding.js";
import { ecdsaWithOneNonce, rsaSigning } from "./node-keys.js";
import { caughtBy, type Fault, inParts, inProvider, signingWith } from "./support.js";

const P256 = signingWith("ECDSA_P256_SHA_256");
const P384 = signingWith("ECDSA_P384_SHA_384");
const SM2 = signingWith("SM2DSA");
const RSA = signingWith("RSA_PKCS1_SHA_256");
const PSS = signingWith("RSA_PSS_SHA_256");
const ML_DSA = signingWith("ML_DSA_65");

/** r and s side by side, as P1363 has them. */
function raw(signature: Uint8Array): Uint8Array {
  const { r, s } = readSignature(signature) ?? { r: 0n, s: 0n };
  return Uint8Array.from(Buffer.from([r, s].map((number) => number.toString(16).padStart(64, "0")).join(""), "hex"));
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes)}`);
}

const sm2Point = (material: InMemoryMaterial): ReturnType<typeof importSm2PublicKey> =>
  importSm2PublicKey(material.publicKey?.() ?? new Uint8Array(0));

export const signingFaults: readonly Fault[] = caughtBy("sign-verify", [
  inParts("it claims longer messages than it signs", () => ({}), { ...P256, maxMessageBytes: 8192 }),
  inParts("it signs longer messages than it claims", () => ({}), { ...P256, maxMessageBytes: 1024 }),
  inProvider(
    "an algorithm is claimed that is not supported",
    (right) => ({
      sign: async (request, options) => {
        if (request.algorithm !== "SM2DSA") return right.sign(request, options);
        throw new FengniError("ERR_NOT_SUPPORTED", "not yet");
      },
    }),
    SM2,
  ),
  inParts(
    "the digest is signed twice",
    ({ sign, verify }) => ({
      sign: (material, algorithm, message, type) =>
        sign(material, algorithm, type === "raw" ? digest("sha256", message) : message, "raw"),
      verify: (material, algorithm, message, type, signature) =>
        verify(material, algorithm, type === "raw" ? digest("sha256", message) : message, "raw", signature),
    }),
    P256,
  ),
  inParts(
    "a digest is treated as a message",
    ({ sign, verify }) => ({
      sign: (material, algorithm, message) => sign(material, algorithm, message, "raw"),
      verify: (material, algorithm, message, _type, signature) =>
        verify(material, algorithm, message, "raw", signature),
    }),
    RSA,
  ),
  inParts(
    "a message of 32 bytes is treated as a digest",
    ({ sign, verify }) => ({
      sign: (material, algorithm, message, type) =>
        sign(material, algorithm, message, message.length === 32 ? "digest" : type),
      verify: (material, algorithm, message, type, signature) =>
        verify(material, algorithm, message, message.length === 32 ? "digest" : type, signature),
    }),
    P256,
  ),
  inParts(
    "only the beginning of a message is signed",
    ({ sign, verify }) => ({
      sign: (material, algorithm, message, type) => sign(material, algorithm, message.slice(0, 1024), type),
      verify: (material, algorithm, message, type, signature) =>
        verify(material, algorithm, message.slice(0, 1024), type, signature),
    }),
    P256,
  ),
  inParts(
    "SHA-256 serves for P-384",
    ({ sign, verify }) => {
      const padded = (message: Uint8Array): Uint8Array => concatBytes(new Uint8Array(16), digest("sha256", message));
      return {
        sign: (material, algorithm, message, type) =>
          type === "digest"
            ? sign(material, algorithm, message, type)
            : sign(material, algorithm, padded(message), "digest"),
        verify: (material, algorithm, message, type, signature) =>
          verify(material, algorithm, type === "digest" ? message : padded(message), "digest", signature),
      };
    },
    P384,
  ),
  inParts(
    "a digest of another length is cut or filled up",
    ({ checkMessage, sign, verify }) => {
      const fitted = (message: Uint8Array): Uint8Array => concatBytes(message, new Uint8Array(32)).slice(0, 32);
      return {
        checkMessage: (key, message, type) => (type === "digest" ? undefined : checkMessage(key, message, type)),
        sign: (material, algorithm, message, type) =>
          sign(material, algorithm, type === "digest" ? fitted(message) : message, type),
        verify: (material, algorithm, message, type, signature) =>
          verify(material, algorithm, type === "digest" ? fitted(message) : message, type, signature),
      };
    },
    P256,
  ),
  inParts(
    "an unknown type of message is a message",
    ({ checkMessage }) => ({
      checkMessage: (key, message, type) => checkMessage(key, message, type === "digest" ? type : "raw"),
    }),
    P256,
  ),
  inParts(
    "a message one byte too long is signed",
    ({ checkMessage }) => ({
      checkMessage: (key, message, type) => checkMessage(key, message.slice(0, 4096), type),
    }),
    P256,
  ),
  inParts(
    "signatures are not DER",
    ({ sign, verify }) => ({
      sign: async (material, algorithm, message, type) => raw(await sign(material, algorithm, message, type)),
      verify: (material, algorithm, message, type, signature) => {
        if (signature.length !== 64) return false;
        const numbers = { r: numberOf(signature.subarray(0, 32)), s: numberOf(signature.subarray(32)) };
        return verify(material, algorithm, message, type, writeSignature(numbers));
      },
    }),
    P256,
  ),
  inParts(
    "SM2 signs without the signer's identity",
    ({ sign, verify }) => ({
      sign: (material, algorithm, message, type) =>
        sign(material, algorithm, type === "raw" ? digest("sm3", message) : message, "digest"),
      verify: (material, algorithm, message, type, signature) =>
        verify(material, algorithm, type === "raw" ? digest("sm3", message) : message, "digest", signature),
    }),
    SM2,
  ),
  inParts(
    "SM2 signs with an identity of its own",
    ({ sign, verify }) => {
      const digestOf = (material: InMemoryMaterial, message: Uint8Array): Uint8Array =>
        digest("sm3", sm2Point(material).identityDigest("the kit"), message);
      return {
        sign: (material, algorithm, message, type) =>
          sign(material, algorithm, type === "raw" ? digestOf(material, message) : message, "digest"),
        verify: (material, algorithm, message, type, signature) =>
          verify(material, algorithm, type === "raw" ? digestOf(material, message) : message, "digest", signature),
      };
    },
    SM2,
  ),
  inParts(
    "ML-DSA signs the hash of a message",
    ({ sign, verify }) => ({
      sign: (material, algorithm, message, type) => sign(material, algorithm, digest("sha512", message), type),
      verify: (material, algorithm, message, type, signature) =>
        verify(material, algorithm, digest("sha512", message), type, signature),
    }),
    ML_DSA,
  ),
  inParts(
    "ML-DSA takes a digest for a message",
    ({ checkMessage }) => ({ checkMessage: (key, message) => checkMessage(key, message, "raw") }),
    ML_DSA,
  ),
  inParts("every signature has the same nonce", () => ({ createMaterial: ecdsaWithOneNonce }), P256),
  inParts(
    "PSS has a salt of another length",
    () => ({ createMaterial: rsaSigning({ hash: "sha256", padding: "pss", saltLength: 20 }) }),
    PSS,
  ),
  inParts(
    "PSS has another hash",
    () => ({ createMaterial: rsaSigning({ hash: "sha384", padding: "pss", saltLength: 48 }) }),
    PSS,
  ),
  inParts("PSS is PKCS#1 v1.5", () => ({ createMaterial: rsaSigning({ hash: "sha256", padding: "pkcs1" }) }), PSS),
  inParts(
    "PKCS#1 v1.5 is PSS",
    () => ({ createMaterial: rsaSigning({ hash: "sha256", padding: "pss", saltLength: 32 }) }),
    RSA,
  ),
  inParts("PKCS#1 v1.5 signs SHA-1", () => ({ createMaterial: rsaSigning({ hash: "sha1", padding: "pkcs1" }) }), RSA),
]);
