// The choice between the implementations of SLH-DSA, and their known-answer test. It must not know how an implementation does it.
import { hexToBytes } from "./bytes.js";
import { createSelector, runtime, type Selector } from "./runtime.js";
import { CheckedSlhDsa } from "./slh-dsa-checked.js";
import { createNobleSlhDsa } from "./slh-dsa-noble.js";
import { createNodeSlhDsa } from "./slh-dsa-node.js";

// Made by OpenSSL 3.5.8. A signature verifies only if the root that its seeds give is the one that stands in the key.
const PROBE_KEY =
  "bf8eea644dc367fe9ff1470fca04e1226d58796bee8bc595de6c27718386b84f" +
  "b2e253982ce4c190eb245d96e477a38031203d7ab0ba1fe7828fcd4f7b1d8f9e";

function probe(implementation: CheckedSlhDsa): boolean {
  const key = implementation.importRawKey("SLH-DSA-SHA2-128f", hexToBytes(PROBE_KEY));
  const message = Uint8Array.of(1);
  const context = Uint8Array.of(2);
  const signature = key.sign(message, { context });
  // A runtime that ignored the context would sign all the same; and noble must verify what node:crypto signs.
  return [implementation, new CheckedSlhDsa(createNobleSlhDsa())].every((verifier) => {
    const publicKey = verifier.importPublicKey("SLH-DSA-SHA2-128f", key.publicKey);
    return publicKey.verify(message, signature, { context }) && !publicKey.verify(message, signature);
  });
}

function createNode(): CheckedSlhDsa | undefined {
  const { node } = runtime;
  // What has SLH-DSA has ML-KEM too, which can be seen.
  const isNew = typeof (node as { encapsulate?: unknown } | undefined)?.encapsulate === "function";
  return node === undefined || !isNew ? undefined : new CheckedSlhDsa(createNodeSlhDsa(node));
}

/** The choice of SLH-DSA. */
export const slhDsaSelector: Selector<CheckedSlhDsa> = /* @__PURE__ */ createSelector<CheckedSlhDsa>([
  { name: "node", create: createNode, probe },
  { name: "noble", create: () => new CheckedSlhDsa(createNobleSlhDsa()), probe },
]);
