// The choice between the implementations of SM2, and their known-answer test. It must not know how an implementation does it.
import { bytesToUtf8, equalBytes, hexToBytes } from "./bytes.js";
import { createSelector, runtime, type Selector } from "./runtime.js";
import { CheckedSm2 } from "./sm2-checked.js";
import { createNobleSm2 } from "./sm2-noble.js";
import { createNodeSm2 } from "./sm2-node.js";
import { createWasmSm2 } from "./sm2-wasm.js";

// GB/T 32918.5-2017 annexes A and C: one key, one nonce, a signature of "message digest", and a ciphertext.
const PROBE_KEY = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const PROBE_NONCE = "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21";
const PROBE_DIGEST = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640";
const PROBE_SIGNATURE =
  "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3" +
  "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
const PROBE_CIPHERTEXT =
  "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff7" +
  "67e124df059983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd876621886ca989ca9c7d58087307ca93092d651efa";

function probe(implementation: CheckedSm2): boolean {
  const { arithmetic } = implementation.engine;
  const key = implementation.importPrivateScalar(hexToBytes(PROBE_KEY));
  const signature = hexToBytes(PROBE_SIGNATURE);
  const text = new TextEncoder().encode("message digest");
  const raw = arithmetic.sign(
    arithmetic.signingKey(hexToBytes(PROBE_KEY)),
    hexToBytes(PROBE_NONCE),
    hexToBytes(PROBE_DIGEST),
  );
  const verifies = (message: Uint8Array, bytes: Uint8Array): boolean =>
    key.publicKey.verify(message, bytes, { format: "raw" });
  return (
    raw !== undefined &&
    equalBytes(raw, signature) &&
    verifies(text, signature) &&
    !verifies(text.subarray(1), signature) &&
    // The runtime's own signing, where it has one: what it makes must be SM2 with this identity, not ECDSA.
    verifies(text, key.sign(text, { format: "raw" })) &&
    bytesToUtf8(key.decrypt(hexToBytes(PROBE_CIPHERTEXT))) === "encryption standard"
  );
}

/** The choice of SM2. */
export const sm2Selector: Selector<CheckedSm2> = /* @__PURE__ */ createSelector<CheckedSm2>([
  {
    // Ahead of node:crypto, since it signs and verifies several times faster, and encrypts, which node:crypto does not.
    name: "wasm",
    create() {
      const { webAssembly } = runtime;
      return webAssembly && new CheckedSm2({ name: "wasm", arithmetic: createWasmSm2(webAssembly) });
    },
    probe,
  },
  {
    name: "node",
    create() {
      const { node } = runtime;
      if (node === undefined) return undefined;
      return new CheckedSm2({ name: "node", arithmetic: createNobleSm2(), native: createNodeSm2(node) });
    },
    probe,
  },
  { name: "noble", create: () => new CheckedSm2({ name: "noble", arithmetic: createNobleSm2() }), probe },
]);
