// The choice between the implementations of ML-DSA, and their known-answer test. It must not know how an implementation does it.
import { equalBytes, hexToBytes } from "./bytes.js";
import { digest } from "./hash.js";
import { CheckedMlDsa } from "./ml-dsa-checked.js";
import { createNobleMlDsa } from "./ml-dsa-noble.js";
import { createNodeMlDsa } from "./ml-dsa-node.js";
import { createSelector, runtime, type Selector } from "./runtime.js";

// SHA-256 of the public key of the seed 00 01 .. 1f, in which FIPS 204 and its drafts differ. Computed with OpenSSL 3.5.8.
const PROBE = "9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46";

function probe(implementation: CheckedMlDsa): boolean {
  const key = implementation.importSeed(
    "ML-DSA-44",
    new Uint8Array(32).map((_, index) => index),
  );
  if (!equalBytes(digest("sha256", key.publicKey), hexToBytes(PROBE))) return false;
  // A runtime that ignored the context would sign all the same.
  const message = Uint8Array.of(1);
  const context = Uint8Array.of(2);
  const signature = key.sign(message, { context });
  const publicKey = implementation.importPublicKey("ML-DSA-44", key.publicKey);
  return publicKey.verify(message, signature, { context }) && !publicKey.verify(message, signature);
}

function createNode(): CheckedMlDsa | undefined {
  const { node } = runtime;
  // What has ML-DSA has ML-KEM too, which can be seen.
  const isNew = typeof (node as { encapsulate?: unknown } | undefined)?.encapsulate === "function";
  return node === undefined || !isNew ? undefined : new CheckedMlDsa(createNodeMlDsa(node));
}

/** The choice of ML-DSA. */
export const mlDsaSelector: Selector<CheckedMlDsa> = /* @__PURE__ */ createSelector<CheckedMlDsa>([
  { name: "node", create: createNode, probe },
  { name: "noble", create: () => new CheckedMlDsa(createNobleMlDsa()), probe },
]);
