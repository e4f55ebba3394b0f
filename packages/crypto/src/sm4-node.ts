// SM4 by node:crypto, that is OpenSSL. Its C code looks up in tables, so that its timing may depend on the key where an attacker shares
// the processor's cache; with a processor's own SM4 instructions it does not. It must not check arguments (sm4-checked.ts does).
import type { KeyObject } from "node:crypto";
import { type NodeCrypto, plain } from "./runtime.js";
import type { Sm4Engine, Sm4EngineKey } from "./sm4-checked.js";

class NodeKey implements Sm4EngineKey {
  readonly #node: NodeCrypto;
  // A KeyObject, since Node 24 is 4 times slower with a raw key.
  readonly #key: KeyObject;

  constructor(node: NodeCrypto, key: Uint8Array) {
    this.#node = node;
    this.#key = node.createSecretKey(key);
  }

  encryptBlocks(blocks: Uint8Array): Uint8Array {
    return plain(this.#node.createCipheriv("sm4-ecb", this.#key, null).setAutoPadding(false).update(blocks));
  }

  decryptBlocks(blocks: Uint8Array): Uint8Array {
    return plain(this.#node.createDecipheriv("sm4-ecb", this.#key, null).setAutoPadding(false).update(blocks));
  }

  encryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    return plain(this.#node.createCipheriv("sm4-cbc", this.#key, iv).setAutoPadding(false).update(blocks));
  }

  decryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    return plain(this.#node.createDecipheriv("sm4-cbc", this.#key, iv).setAutoPadding(false).update(blocks));
  }

  ctr(counter: Uint8Array, data: Uint8Array): Uint8Array {
    return plain(this.#node.createCipheriv("sm4-ctr", this.#key, counter).update(data));
  }
}

/** SM4 by node:crypto. */
export function createNodeSm4(node: NodeCrypto): Sm4Engine {
  return { name: "node", importKey: (key) => new NodeKey(node, key) };
}

// Long enough that the price of a call, some microseconds, does not count.
const TRIAL_BYTES = 16_384;
const TRIALS = 8;
// In bytes a millisecond. SM4 by tables reaches 70 to 140 MB/s, and WebAssembly 200 to 700; SM4 instructions give more than 1,000.
const HARDWARE_RATE = 600_000;

/**
 * Measures, in about a millisecond, whether OpenSSL uses SM4 instructions of the processor here. A disturbed measurement says no, which
 * costs speed and nothing else. Throws where there is no sm4-ctr.
 */
export function nodeHasSm4Hardware(node: NodeCrypto): boolean {
  const key = node.createSecretKey(new Uint8Array(16));
  const [counter, data] = [new Uint8Array(16), new Uint8Array(TRIAL_BYTES)];
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIALS; i++) {
    const start = performance.now();
    node.createCipheriv("sm4-ctr", key, counter).update(data);
    fastest = Math.min(fastest, performance.now() - start);
  }
  return TRIAL_BYTES / fastest > HARDWARE_RATE;
}
