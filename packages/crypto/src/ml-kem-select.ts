// The choice between the implementations of ML-KEM, and their known-answer test. It must not know how an implementation does it.
import { equalBytes, hexToBytes } from "./bytes.js";
import { digest } from "./hash.js";
import { CheckedMlKem } from "./ml-kem-checked.js";
import { createNobleMlKem } from "./ml-kem-noble.js";
import { createNodeMlKem } from "./ml-kem-node.js";
import { createSelector, runtime, type Selector } from "./runtime.js";

// SHA-256 of the public key of the seed 00 01 .. 3f, followed by what an all-zero ciphertext decapsulates to under it: the key
// generation and the implicit rejection of FIPS 203, in which its drafts differ. Computed with OpenSSL 3.5.8.
const PROBE = "fa059d9efbc23461c9b604e7fc0751ffbc4b3b874c2047a60991ce5c20d9f25f";

function probe(implementation: CheckedMlKem): boolean {
  const seed = new Uint8Array(64).map((_, index) => index);
  const key = implementation.importSeed("ML-KEM-512", seed);
  const rejected = key.decapsulate(new Uint8Array(768));
  if (!equalBytes(digest("sha256", key.publicKey, rejected), hexToBytes(PROBE))) return false;
  const { ciphertext, sharedSecret } = implementation.importPublicKey("ML-KEM-512", key.publicKey).encapsulate();
  return equalBytes(key.decapsulate(ciphertext), sharedSecret);
}

function createNode(): CheckedMlKem | undefined {
  const engine = runtime.node === undefined ? undefined : createNodeMlKem(runtime.node);
  return engine === undefined ? undefined : new CheckedMlKem(engine);
}

/** The choice of ML-KEM. */
export const mlKemSelector: Selector<CheckedMlKem> = /* @__PURE__ */ createSelector<CheckedMlKem>([
  { name: "node", create: createNode, probe },
  { name: "noble", create: () => new CheckedMlKem(createNobleMlKem()), probe },
]);
