// What is the same in every RSA implementation: the checks of keys and arguments, and the choice. It must not know how an
// implementation does it.
import { argumentRangeError, assertBytes, assertOneOf } from "./assert.js";
import type { RsaImplementation, RsaPadding, RsaPrivateKey, RsaPublicKey } from "./rsa.js";
import { parseRsaPrivateKey, parseRsaPublicKey, type RsaPrivateParts, type RsaPublicParts } from "./rsa-encoding.js";
import { createNodeRsa, probeNodeRsa } from "./rsa-node.js";
import { createWebRsa } from "./rsa-web.js";
import { createSelector, runtime, type Selector } from "./runtime.js";

/** What an implementation brings. Keys and arguments were checked, but not the length of a ciphertext. */
export interface RsaEngine {
  readonly name: string;
  importPublicKey(parts: RsaPublicParts): Pick<RsaPublicKey, "encrypt">;
  /** Takes parts that are overwritten after the call. */
  importPrivateKey(parts: RsaPrivateParts): Pick<RsaPrivateKey, "decrypt">;
}

// Bytes that each padding adds at least (RFC 8017 7.1.1 and 7.2.1, step 1).
const OVERHEADS: Readonly<Record<RsaPadding, number>> = {
  pkcs1: 11,
  "oaep-sha1": 42,
  "oaep-sha256": 66,
  "oaep-sha384": 98,
  "oaep-sha512": 130,
};
const PADDINGS = /* @__PURE__ */ Object.keys(OVERHEADS) as readonly RsaPadding[];

function checked(engine: RsaEngine): RsaImplementation {
  return {
    name: engine.name,
    importPublicKey(pem) {
      const parts = parseRsaPublicKey(pem);
      const key = engine.importPublicKey(parts);
      const { modulusBytes } = parts;
      return {
        modulusBytes,
        encrypt(padding, plaintext) {
          const longest = modulusBytes - OVERHEADS[assertOneOf(padding, "padding", PADDINGS)];
          const { length } = assertBytes(plaintext, "plaintext");
          if (length <= longest) return key.encrypt(padding, plaintext);
          throw argumentRangeError(`"plaintext" expected Uint8Array of at most ${longest} bytes, got length=${length}`);
        },
      };
    },
    importPrivateKey(pem) {
      const parts = parseRsaPrivateKey(pem);
      try {
        const key = engine.importPrivateKey(parts);
        return {
          modulusBytes: parts.modulusBytes,
          decrypt(padding, ciphertext) {
            return key.decrypt(assertOneOf(padding, "padding", PADDINGS), assertBytes(ciphertext, "ciphertext"));
          },
        };
      } finally {
        parts.pkcs8.fill(0);
        parts.exponent.fill(0);
      }
    },
  };
}

/** The choice of RSA. */
export const rsaSelector: Selector<RsaImplementation> = /* @__PURE__ */ createSelector<RsaImplementation>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : checked(createNodeRsa(runtime.node))),
    probe: () => runtime.node !== undefined && probeNodeRsa(runtime.node),
  },
  {
    name: "webcrypto",
    create: () => (runtime.subtle === undefined ? undefined : checked(createWebRsa(runtime.subtle))),
    // WebCrypto answers later only; a wrong answer shows as a failed decryption.
    probe: () => true,
  },
]);
