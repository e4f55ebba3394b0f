// SHA-2, HMAC and HKDF-Expand by node:crypto. It must not check arguments (hash-checked.ts does) nor know other implementations.
import type { Hmac, KeyObject } from "node:crypto";
import type { Sha2Name } from "./hash.js";
import type { HashEngine, HashState } from "./hash-checked.js";
import type { NodeCrypto } from "./runtime.js";

const TRIALS = 24;

function fastestMs(work: () => unknown): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIALS; i++) {
    const start = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - start);
  }
  return fastest;
}

/**
 * Which form of HMAC key is cheaper here: Node 24 takes raw bytes 4 to 5 times slower than a KeyObject, while on Node 20 and 26
 * the KeyObject costs a third more than it saves. Both give the same answer, so a measurement of one millisecond, once, may
 * decide; when it is disturbed nothing but some speed is lost.
 */
function prefersRawKeys(node: NodeCrypto): boolean {
  const key = new Uint8Array(64);
  const raw = fastestMs(() => node.createHmac("sha256", key).update(key).digest());
  const object = fastestMs(() => node.createHmac("sha256", node.createSecretKey(key)).update(key).digest());
  return raw < 1.5 * object;
}

// One buffer for all: it is read at once, and a fresh one for each block costs Node 26 a third of the HMAC.
const COUNTER: Uint8Array = /* @__PURE__ */ new Uint8Array(1);

class NodeHash implements HashEngine {
  readonly name = "node";
  readonly #node: NodeCrypto;
  readonly #oneShot: NodeCrypto["hash"] | undefined;
  #rawKeys: boolean | undefined;

  constructor(node: NodeCrypto) {
    this.#node = node;
    // Absent before Node 20.12 and in other runtimes that have a node:crypto.
    this.#oneShot = typeof node.hash === "function" ? node.hash : undefined;
  }

  digest(hash: Sha2Name, data: readonly Uint8Array[]): Uint8Array {
    const only = data[0];
    if (data.length === 1 && only !== undefined && this.#oneShot !== undefined)
      return this.#oneShot(hash, only, "buffer");
    const state = this.#node.createHash(hash);
    for (const part of data) state.update(part);
    return state.digest();
  }

  begin(hash: Sha2Name): HashState {
    return this.#node.createHash(hash);
  }

  hmac(hash: Sha2Name, key: Uint8Array, data: readonly Uint8Array[]): Uint8Array {
    const state = this.#node.createHmac(hash, this.#keyOf(key));
    for (const part of data) state.update(part);
    return state.digest();
  }

  expand(hash: Sha2Name, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    // Composed of HMACs, since hkdfSync takes twice as long for the short outputs that matter here. RFC 5869 2.3.
    const key = this.#keyOf(prk);
    const okm = new Uint8Array(length);
    let state: Hmac = this.#node.createHmac(hash, key);
    for (let counter = 1, offset = 0; ; counter++) {
      COUNTER[0] = counter;
      const block: Uint8Array = state.update(info).update(COUNTER).digest();
      const end = Math.min(length, offset + block.length);
      for (let i = 0; offset < end; i++, offset++) okm[offset] = block[i] as number;
      if (offset === length) {
        block.fill(0);
        return okm;
      }
      state = this.#node.createHmac(hash, key).update(block);
      block.fill(0);
    }
  }

  #keyOf(key: Uint8Array): Uint8Array | KeyObject {
    this.#rawKeys ??= prefersRawKeys(this.#node);
    return this.#rawKeys ? key : this.#node.createSecretKey(key);
  }
}

/** SHA-2, HMAC and HKDF-Expand by node:crypto. */
export function createNodeHash(node: NodeCrypto): HashEngine {
  return new NodeHash(node);
}
