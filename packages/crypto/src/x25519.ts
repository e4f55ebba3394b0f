// X25519 (RFC 7748 section 5) for the hybrid KEM, and the choice between its implementations. It is not offered by itself: it must
// not know what it is used for.
import type { KeyObject } from "node:crypto";
import { x25519 } from "@noble/curves/ed25519.js";
import { concatBytes, equalBytes, hexToBytes } from "./bytes.js";
import { asNodeInput, createSelector, type NodeCrypto, plain, runtime, type Selector } from "./runtime.js";

/** A private key. */
interface X25519PrivateKey {
  /** 32 bytes; a buffer that is not changed. */
  readonly publicKey: Uint8Array;
  /** The shared secret with a public key of 32 bytes, a new buffer; throws for one of small order, whose secret is all zeros. */
  agree(publicKey: Uint8Array): Uint8Array;
}

/** One way to do X25519. */
export interface X25519Engine {
  readonly name: string;
  /** Takes 32 bytes of any value, which it does not keep. */
  importPrivateKey(scalar: Uint8Array): X25519PrivateKey;
}

// RFC 8410 section 7 and 4: DER up to the key.
const PKCS8_PREFIX: Uint8Array = /* @__PURE__ */ hexToBytes("302e020100300506032b656e04220420");
const SPKI_PREFIX: Uint8Array = /* @__PURE__ */ hexToBytes("302a300506032b656e032100");

/** X25519 by node:crypto, that is OpenSSL, which is constant-time. */
function createNodeX25519(node: NodeCrypto): X25519Engine {
  const publicKeyOf = (raw: Uint8Array): KeyObject =>
    node.createPublicKey({ key: asNodeInput(concatBytes(SPKI_PREFIX, raw)), format: "der", type: "spki" });
  return {
    name: "node",
    importPrivateKey(scalar) {
      const pkcs8 = concatBytes(PKCS8_PREFIX, scalar);
      const privateKey = node.createPrivateKey({ key: asNodeInput(pkcs8), format: "der", type: "pkcs8" });
      pkcs8.fill(0);
      const spki = node.createPublicKey(privateKey).export({ format: "der", type: "spki" });
      return {
        publicKey: new Uint8Array(spki.subarray(SPKI_PREFIX.length)),
        agree: (raw) => plain(node.diffieHellman({ privateKey, publicKey: publicKeyOf(raw) })),
      };
    },
  };
}

/** X25519 by noble: BigInt arithmetic, whose time may depend on the key. */
function createNobleX25519(): X25519Engine {
  return {
    name: "noble",
    importPrivateKey(scalar) {
      const own = new Uint8Array(scalar);
      return { publicKey: x25519.getPublicKey(own), agree: (raw) => x25519.getSharedSecret(own, raw) };
    },
  };
}

// RFC 7748 section 6.1: Bob's private key and Alice's public key.
const PROBE_SCALAR = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
const PROBE_PEER = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const PROBE_SECRET = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

function probe(engine: X25519Engine): boolean {
  const key = engine.importPrivateKey(hexToBytes(PROBE_SCALAR));
  return equalBytes(key.agree(hexToBytes(PROBE_PEER)), hexToBytes(PROBE_SECRET));
}

/** The choice of X25519. */
export const x25519Selector: Selector<X25519Engine> = /* @__PURE__ */ createSelector<X25519Engine>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : createNodeX25519(runtime.node)),
    probe,
  },
  { name: "noble", create: createNobleX25519, probe },
]);
