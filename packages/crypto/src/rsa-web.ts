// RSA-OAEP by WebCrypto, which has no PKCS#1 v1.5 encryption. It must not read keys nor check arguments (rsa-checked.ts does).
import { authenticationError, FengniError } from "./errors.js";
import type { RsaPadding } from "./rsa.js";
import type { RsaEngine } from "./rsa-checked.js";
import { rsaKeyInvalid } from "./rsa-encoding.js";

type OaepPadding = Exclude<RsaPadding, "pkcs1">;

const HASHES: Readonly<Record<OaepPadding, string>> = {
  "oaep-sha1": "SHA-1",
  "oaep-sha256": "SHA-256",
  "oaep-sha384": "SHA-384",
  "oaep-sha512": "SHA-512",
};

/** One CryptoKey per hash, imported when first needed: WebCrypto binds a key to its hash. */
function keysByHash(
  subtle: SubtleCrypto,
  format: "spki" | "pkcs8",
  der: Uint8Array,
): (padding: RsaPadding) => Promise<CryptoKey> {
  const keys = new Map<OaepPadding, Promise<CryptoKey>>();
  const own = new Uint8Array(der);
  const importKey = async (padding: OaepPadding): Promise<CryptoKey> => {
    const usage = format === "spki" ? "encrypt" : "decrypt";
    try {
      return await subtle.importKey(format, own, { name: "RSA-OAEP", hash: HASHES[padding] }, false, [usage]);
    } catch {
      throw rsaKeyInvalid(
        "WebCrypto does not accept the RSA key: its numbers do not belong together, or it is too long",
      );
    }
  };
  return (padding) => {
    if (padding === "pkcs1") return Promise.reject(noPkcs1());
    const key = keys.get(padding) ?? importKey(padding);
    keys.set(padding, key);
    return key;
  };
}

function noPkcs1(): FengniError<"ERR_NOT_SUPPORTED"> {
  return new FengniError("ERR_NOT_SUPPORTED", "this runtime has no PKCS#1 v1.5 encryption: use an OAEP padding", {
    details: { operation: "rsa-pkcs1" },
  });
}

/** RSA-OAEP by WebCrypto. */
export function createWebRsa(subtle: SubtleCrypto): RsaEngine {
  return {
    name: "webcrypto",
    importPublicKey({ spki }) {
      const keyFor = keysByHash(subtle, "spki", spki);
      return {
        async encrypt(padding, plaintext) {
          const own = new Uint8Array(plaintext);
          const key = await keyFor(padding);
          return new Uint8Array(await subtle.encrypt({ name: "RSA-OAEP" }, key, own));
        },
      };
    },
    importPrivateKey({ pkcs8, modulusBytes }) {
      const keyFor = keysByHash(subtle, "pkcs8", pkcs8);
      return {
        async decrypt(padding, ciphertext) {
          const own = new Uint8Array(ciphertext);
          const key = await keyFor(padding);
          try {
            if (own.length !== modulusBytes) throw new Error();
            return new Uint8Array(await subtle.decrypt({ name: "RSA-OAEP" }, key, own));
          } catch {
            throw authenticationError();
          }
        },
      };
    },
  };
}
