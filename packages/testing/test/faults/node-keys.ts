// Key material of node:crypto, for mistakes that the project's own primitives do not let anybody make. It must not know providers.
import {
  constants,
  createHash,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  sign as signWithNode,
  verify as verifyWithNode,
} from "node:crypto";
import { promisify } from "node:util";
import { authenticationError, type MessageType } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { ecdsaPublicKeyFromSpki, importEcdsaPublicKey } from "@fengni/crypto/ecdsa";
import type { InMemoryMaterial } from "../../src/in-memory-material.js";
import { readSignature, writeSignature } from "../../src/signature-encoding.js";

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

let rsaPairs: readonly Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }>[] | undefined;

/** RSA keys that all mistakes share, in turn. */
function rsaPair(index: number): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  const make = promisify(generateKeyPair);
  rsaPairs ??= Array.from({ length: 4 }, () => make("rsa", { modulusLength: 2048 }));
  return rsaPairs[index % 4] as Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }>;
}

/** How RSA is used. */
export interface RsaUse {
  readonly hash: string;
  readonly padding?: "pss" | "pkcs1";
  readonly saltLength?: number;
}

/** Makes RSA material that signs in another way than it should, and verifies likewise. */
export function rsaSigning(use: RsaUse): () => Promise<InMemoryMaterial> {
  let next = 0;
  return async () => {
    const { publicKey, privateKey } = await rsaPair(next++);
    const padding = use.padding === "pss" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
    const options = { padding, ...(use.saltLength !== undefined && { saltLength: use.saltLength }) };
    return {
      publicKey: () => publicKey.export({ type: "spki", format: "der" }),
      sign: (_algorithm, message) => signWithNode(use.hash, message, { key: privateKey, ...options }),
      verify: (_algorithm, message, _type, signature) =>
        verifyWithNode(use.hash, message, { key: publicKey, ...options }, signature),
    };
  };
}

/** Makes RSA material that opens, in this order, with whichever of these paddings fits. */
export function rsaDecrypting(
  ...paddings: readonly ("sha1" | "sha256" | "sha512" | "pkcs1")[]
): () => Promise<InMemoryMaterial> {
  let next = 0;
  return async () => {
    const { publicKey, privateKey } = await rsaPair(next++);
    return {
      publicKey: () => publicKey.export({ type: "spki", format: "der" }),
      decrypt(_algorithm, ciphertext) {
        for (const padding of paddings) {
          try {
            if (padding === "pkcs1") return openPkcs1(privateKey, ciphertext);
            return privateDecrypt({ key: privateKey, oaepHash: padding }, ciphertext);
          } catch {}
        }
        throw authenticationError();
      },
    };
  };
}

/** PKCS#1 v1.5 by hand: whether the padding was right shows in the error. */
function openPkcs1(
  key: KeyObject,
  ciphertext: Uint8Array,
  wrong: (reason: "type" | "separator") => Error = () => authenticationError(),
): Uint8Array {
  if (ciphertext.length !== 256) throw authenticationError();
  const padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext);
  if (padded[0] !== 0 || padded[1] !== 2) throw wrong("type");
  const separator = padded.indexOf(0, 2);
  if (separator < 10) throw wrong("separator");
  return padded.subarray(separator + 1);
}

/** Makes RSA material that tells what was wrong with a padding. */
export function rsaTelling(wrong: (reason: "type" | "separator") => Error): () => Promise<InMemoryMaterial> {
  let next = 0;
  return async () => {
    const { publicKey, privateKey } = await rsaPair(next++);
    return {
      publicKey: () => publicKey.export({ type: "spki", format: "der" }),
      decrypt: (_algorithm, ciphertext) => openPkcs1(privateKey, ciphertext, wrong),
    };
  };
}

/** Makes P-256 material whose every signature has the same r: the nonce of the first one is used for all. */
export async function ecdsaWithOneNonce(): Promise<InMemoryMaterial> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const secret = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  const d = BigInt(`0x${bytesToHex(secret)}`);
  const hashOf = (message: Uint8Array, type: MessageType = "raw"): bigint =>
    BigInt(`0x${type === "digest" ? bytesToHex(message) : createHash("sha256").update(message).digest("hex")}`);
  const right = publicEcdsa(publicKey.export({ type: "spki", format: "der" }));
  const first = Buffer.from("the first message");
  const { r, s } = readSignature(signWithNode("sha256", first, privateKey)) ?? { r: 1n, s: 1n };
  const modulo = (value: bigint): bigint => ((value % P256_ORDER) + P256_ORDER) % P256_ORDER;
  // s = (hash + r d) / k, and so k = (hash + r d) / s.
  const nonce = modulo((hashOf(first) + r * d) * inverse(s));
  return {
    publicKey: () => publicKey.export({ type: "spki", format: "der" }),
    sign: (_algorithm, message, type) =>
      writeSignature({ r, s: modulo((hashOf(message, type) + r * d) * inverse(nonce)) }),
    verify: (_algorithm, message, type, signature) =>
      right.verify?.("ECDSA_P256_SHA_256", message, type, signature) ?? false,
  };
}

/** The right half of a wrong key. */
function publicEcdsa(spki: Uint8Array): Pick<InMemoryMaterial, "verify"> {
  const key = importEcdsaPublicKey("P-256", ecdsaPublicKeyFromSpki("P-256", spki));
  return {
    verify: (_algorithm, message, type, signature) =>
      type === "digest" ? key.verifyDigest(message, signature) : key.verify(message, signature),
  };
}

/** By Fermat: a^(n-2) mod n. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value % P256_ORDER;
  for (let exponent = P256_ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % P256_ORDER;
    base = (base * base) % P256_ORDER;
  }
  return result;
}
