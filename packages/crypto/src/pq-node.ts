// Keys of the post-quantum algorithms in and out of node:crypto, by the encodings that every version of it reads. It must not
// know what the keys are for.
import type { KeyObject } from "node:crypto";
import {
  formatLatticePkcs8,
  formatPqSpki,
  type PqKeyShape,
  type PqSecret,
  parseLatticePkcs8,
  parsePqSpki,
} from "./pq-encoding.js";
import { asNodeInput, type NodeCrypto } from "./runtime.js";

/** Reads a private key in PKCS#8, which is overwritten. */
export function importPqPkcs8(node: NodeCrypto, pkcs8: Uint8Array): KeyObject {
  try {
    return node.createPrivateKey({ key: asNodeInput(pkcs8), format: "der", type: "pkcs8" });
  } finally {
    pkcs8.fill(0);
  }
}

/** Reads a private key of ML-KEM or ML-DSA. */
export function importLatticeSecret(node: NodeCrypto, shape: PqKeyShape, secret: PqSecret): KeyObject {
  return importPqPkcs8(node, formatLatticePkcs8(shape, secret));
}

/** The secret of a private key of ML-KEM or ML-DSA: its seed where it has one. Node 24 writes both, Node 26 the seed only. */
export function exportLatticeSecret(shape: PqKeyShape, key: KeyObject): PqSecret {
  const pkcs8 = key.export({ format: "der", type: "pkcs8" });
  try {
    const { seed, expanded } = parseLatticePkcs8(shape, pkcs8);
    return seed === undefined ? { expanded: new Uint8Array(expanded as Uint8Array) } : { seed: new Uint8Array(seed) };
  } finally {
    pkcs8.fill(0);
  }
}

/** Reads a raw public key. */
export function importPqPublicKey(node: NodeCrypto, shape: PqKeyShape, publicKey: Uint8Array): KeyObject {
  const spki = formatPqSpki(shape, publicKey);
  return node.createPublicKey({ key: asNodeInput(spki), format: "der", type: "spki" });
}

/** The raw public key of a private key. */
export function exportPqPublicKey(node: NodeCrypto, shape: PqKeyShape, privateKey: KeyObject): Uint8Array {
  return parsePqSpki(shape, node.createPublicKey(privateKey).export({ format: "der", type: "spki" }));
}
