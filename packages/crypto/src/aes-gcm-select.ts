// The choice between the implementations of AES-GCM, and their known-answer test. It must not know how an implementation does it.
import type { AeadImplementation, Sealed } from "./aes-gcm.js";
import { createNobleAesGcm } from "./aes-gcm-noble.js";
import { createNodeAesGcm } from "./aes-gcm-node.js";
import { createWebAesGcm } from "./aes-gcm-web.js";
import { argumentRangeError, assertBytes } from "./assert.js";
import { equalBytes, hexToBytes } from "./bytes.js";
import { createSelector, runtime, type Selector } from "./runtime.js";

// SP 800-38D appendix B, test case 14 of the GCM submission: 256-bit zero key, zero nonce, one zero block.
const PROBE_CIPHERTEXT = "cea7403d4d606b6e074ec5d3baf39d18";
const PROBE_TAG = "d0d1c8a799996bf0265b98b5d48ab919";

function probe(implementation: AeadImplementation): boolean {
  const key = implementation.importKey(new Uint8Array(32));
  const nonce = new Uint8Array(12);
  const none = new Uint8Array(0);
  const sealed = key.seal(nonce, none, new Uint8Array(16)) as Sealed;
  if (!equalBytes(sealed.ciphertext, hexToBytes(PROBE_CIPHERTEXT))) return false;
  if (!equalBytes(sealed.tag, hexToBytes(PROBE_TAG))) return false;
  const opened = key.open(nonce, none, sealed.ciphertext, sealed.tag) as Uint8Array;
  if (!equalBytes(opened, new Uint8Array(16))) return false;
  try {
    key.open(nonce, none, sealed.ciphertext, new Uint8Array(16));
    return false;
  } catch {
    return true;
  }
}

/** The choice of AES-GCM. */
export const aesGcmSelector: Selector<AeadImplementation> = /* @__PURE__ */ createSelector<AeadImplementation>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : checked(createNodeAesGcm(runtime.node))),
    probe,
  },
  {
    name: "webcrypto",
    create: () => (runtime.subtle === undefined ? undefined : checked(createWebAesGcm(runtime.subtle))),
    // WebCrypto answers later only, so it probes itself: every key waits for the known-answer test, and goes to noble if it fails.
    probe: () => true,
  },
  { name: "noble", create: () => checked(createNobleAesGcm()), probe },
]);

// Key lengths are checked here, once for all implementations; the other arguments by the key, through aes-gcm-checks.ts.
function checked(implementation: AeadImplementation): AeadImplementation {
  return {
    name: implementation.name,
    importKey(key) {
      const { length } = assertBytes(key, "key");
      if (length === 16 || length === 24 || length === 32) return implementation.importKey(key);
      throw argumentRangeError(`"key" expected Uint8Array of length 16, 24 or 32, got length=${length}`);
    },
  };
}
