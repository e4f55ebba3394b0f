// The choice between the implementations of AES-CBC, and their known-answer test. It must not know how an implementation does it.
import type { AesCbcImplementation } from "./aes-cbc.js";
import { createNobleAesCbc } from "./aes-cbc-noble.js";
import { createNodeAesCbc } from "./aes-cbc-node.js";
import { createWebAesCbc } from "./aes-cbc-web.js";
import { argumentRangeError, assertBytes } from "./assert.js";
import { equalBytes, hexToBytes } from "./bytes.js";
import { createSelector, runtime, type Selector } from "./runtime.js";

// SP 800-38A appendix F.2.5, the first block.
const PROBE_KEY = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
const PROBE_IV = "000102030405060708090a0b0c0d0e0f";
const PROBE_PLAINTEXT = "6bc1bee22e409f96e93d7e117393172a";
const PROBE_CIPHERTEXT = "f58c4c04d6e5f1ba779eabfb5f7bfbd6";

function probe(implementation: AesCbcImplementation): boolean {
  const key = implementation.importKey(hexToBytes(PROBE_KEY));
  const [iv, plaintext] = [hexToBytes(PROBE_IV), hexToBytes(PROBE_PLAINTEXT)];
  const ciphertext = key.encrypt(iv, plaintext) as Uint8Array;
  if (!equalBytes(ciphertext.subarray(0, 16), hexToBytes(PROBE_CIPHERTEXT))) return false;
  if (!equalBytes(key.decrypt(iv, ciphertext) as Uint8Array, plaintext)) return false;
  try {
    // A block of plaintext is no padding.
    key.decrypt(iv, ciphertext.subarray(0, 16));
    return false;
  } catch {
    return true;
  }
}

/** The choice of AES-CBC. */
export const aesCbcSelector: Selector<AesCbcImplementation> = /* @__PURE__ */ createSelector<AesCbcImplementation>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : checked(createNodeAesCbc(runtime.node))),
    probe,
  },
  {
    name: "webcrypto",
    create: () => (runtime.subtle === undefined ? undefined : checked(createWebAesCbc(runtime.subtle))),
    // WebCrypto answers later only, so it probes itself: every key waits for the known-answer test, and goes to noble if it fails.
    probe: () => true,
  },
  { name: "noble", create: () => checked(createNobleAesCbc()), probe },
]);

// Key lengths are checked here, once for all implementations; the other arguments by the key, through aes-cbc-checks.ts.
function checked(implementation: AesCbcImplementation): AesCbcImplementation {
  return {
    name: implementation.name,
    importKey(key) {
      const { length } = assertBytes(key, "key");
      if (length === 16 || length === 24 || length === 32) return implementation.importKey(key);
      throw argumentRangeError(`"key" expected Uint8Array of length 16, 24 or 32, got length=${length}`);
    },
  };
}
