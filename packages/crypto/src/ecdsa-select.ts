// The choice between the implementations of ECDSA, and their known-answer test. It must not know how an implementation does it.
import { hexToBytes } from "./bytes.js";
import { CheckedEcdsa } from "./ecdsa-checked.js";
import { createNobleEcdsa } from "./ecdsa-noble.js";
import { createNodeEcdsa } from "./ecdsa-node.js";
import { createSelector, runtime, type Selector } from "./runtime.js";

// RFC 6979 appendix A.2.5: P-256, SHA-256, message "sample".
const PROBE_PUBLIC = "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
const PROBE_SIGNATURE =
  "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" +
  "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

function probe(implementation: CheckedEcdsa): boolean {
  const verifies = (text: string): boolean => {
    const verifier = implementation.createVerifier("P-256", hexToBytes(PROBE_PUBLIC));
    verifier.update(new TextEncoder().encode(text));
    return verifier.verify(hexToBytes(PROBE_SIGNATURE));
  };
  return verifies("sample") && !verifies("test");
}

/** The choice of ECDSA. */
export const ecdsaSelector: Selector<CheckedEcdsa> = /* @__PURE__ */ createSelector<CheckedEcdsa>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : new CheckedEcdsa(createNodeEcdsa(runtime.node))),
    probe,
  },
  { name: "noble", create: () => new CheckedEcdsa(createNobleEcdsa()), probe },
]);
