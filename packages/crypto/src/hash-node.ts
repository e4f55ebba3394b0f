// SHA-2, HMAC and HKDF-Expand by node:crypto. It must not check arguments (hash-checked.ts does) nor know other implementations.
import type { Sha2Name } from "./hash.js";
import type { HashEngine, HashState } from "./hash-checked.js";
import { type NodeCrypto, plain } from "./runtime.js";

/** Computes an HMAC. */
type Mac = (hash: Sha2Name, key: Uint8Array, data: readonly Uint8Array[]) => Uint8Array;

/** HMAC by an Hmac object. The key is a KeyObject, because Node 24 takes raw bytes 4 to 5 times slower. */
function hmacObject(node: NodeCrypto): Mac {
  return (hash, key, data) => {
    const state = node.createHmac(hash, node.createSecretKey(key));
    for (const part of data) state.update(part);
    return state.digest();
  };
}

/** Longest message that {@link oneShotMac} takes itself, in bytes. */
const ONE_SHOT_BYTES = 512;
const BLOCK_BYTES: Readonly<Record<Sha2Name, number>> = { sha256: 64, sha384: 128, sha512: 128 };

/**
 * HMAC as RFC 2104 section 2 composes it: two one-shot hashes, each over one buffer, which is wiped after each use. An Hmac
 * object costs more than both hashes together, and is garbage afterwards.
 */
function oneShotMac(node: NodeCrypto): Mac {
  const others = hmacObject(node);
  const inner = new Uint8Array(128 + ONE_SHOT_BYTES);
  const outer = new Uint8Array(128 + 64);
  return (hash, key, data) => {
    const block = BLOCK_BYTES[hash];
    let length = block;
    for (const part of data) length += part.length;
    if (key.length > block || length > block + ONE_SHOT_BYTES) return others(hash, key, data);
    for (let i = 0; i < block; i++) {
      const byte = i < key.length ? (key[i] as number) : 0;
      inner[i] = byte ^ 0x36;
      outer[i] = byte ^ 0x5c;
    }
    let offset = block;
    for (const part of data) {
      inner.set(part, offset);
      offset += part.length;
    }
    const digest = node.hash(hash, inner.subarray(0, length), "buffer");
    outer.set(digest, block);
    const mac = node.hash(hash, outer.subarray(0, block + digest.length), "buffer");
    inner.fill(0, 0, length);
    outer.fill(0);
    digest.fill(0);
    return mac;
  };
}

// One buffer for all: it is read at once, and a fresh one for each block costs Node 26 a third of the HMAC.
const COUNTER: Uint8Array = /* @__PURE__ */ new Uint8Array(1);

class NodeHash implements HashEngine {
  readonly name = "node";
  readonly #node: NodeCrypto;
  readonly #mac: Mac;

  constructor(node: NodeCrypto) {
    this.#node = node;
    // crypto.hash is absent before Node 20.12 and in other runtimes that have a node:crypto.
    this.#mac = typeof node.hash === "function" ? oneShotMac(node) : hmacObject(node);
  }

  digest(hash: Sha2Name, data: readonly Uint8Array[]): Uint8Array {
    const only = data[0];
    if (data.length === 1 && only !== undefined && typeof this.#node.hash === "function") {
      return plain(this.#node.hash(hash, only, "buffer"));
    }
    const state = this.#node.createHash(hash);
    for (const part of data) state.update(part);
    return plain(state.digest());
  }

  begin(hash: Sha2Name): HashState {
    const state = this.#node.createHash(hash);
    return { update: (data) => state.update(data), digest: () => plain(state.digest()) };
  }

  hmac(hash: Sha2Name, key: Uint8Array, data: readonly Uint8Array[]): Uint8Array {
    return plain(this.#mac(hash, key, data));
  }

  expand(hash: Sha2Name, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    // Composed of HMACs, since hkdfSync takes twice as long for the short outputs that matter here. RFC 5869 2.3.
    const okm = new Uint8Array(length);
    let block: Uint8Array = COUNTER.subarray(0, 0);
    for (let counter = 1, offset = 0; offset < length; counter++) {
      COUNTER[0] = counter;
      const next = this.hmac(hash, prk, [block, info, COUNTER]);
      block.fill(0);
      block = next;
      const end = Math.min(length, offset + block.length);
      for (let i = 0; offset < end; i++, offset++) okm[offset] = block[i] as number;
    }
    block.fill(0);
    return okm;
  }
}

/** SHA-2, HMAC and HKDF-Expand by node:crypto. */
export function createNodeHash(node: NodeCrypto): HashEngine {
  return new NodeHash(node);
}
