// The implementations of SM3 as hash engines, with HMAC and HKDF-Expand on top of their digest. It must not check arguments
// (hash-checked.ts does) nor choose between implementations.
import type { HashEngine, HashState } from "./hash-checked.js";
import { type NodeCrypto, plain } from "./runtime.js";
import { beginSm3, digestSm3, SM3_BLOCK } from "./sm3-portable.js";

type Digest = (data: readonly Uint8Array[]) => Uint8Array;

/** The key of an HMAC, brought to one block and masked with a byte. RFC 2104 section 2. */
function maskedKey(key: Uint8Array, mask: number): Uint8Array {
  const block = new Uint8Array(SM3_BLOCK).fill(mask);
  for (let i = 0; i < key.length; i++) block[i] = (key[i] as number) ^ mask;
  return block;
}

function createSm3(name: string, digest: Digest, begin: () => HashState): HashEngine<"sm3"> {
  const hmac = (key: Uint8Array, data: readonly Uint8Array[]): Uint8Array => {
    const short = key.length > SM3_BLOCK ? digest([key]) : key;
    const [inner, outer] = [maskedKey(short, 0x36), maskedKey(short, 0x5c)];
    if (short !== key) short.fill(0);
    const middle = digest([inner, ...data]);
    const tag = digest([outer, middle]);
    for (const secret of [inner, outer, middle]) secret.fill(0);
    return tag;
  };
  return {
    name,
    digest: (_hash, data) => digest(data),
    begin: () => begin(),
    hmac: (_hash, key, data) => hmac(key, data),
    expand(_hash, prk, info, length) {
      // RFC 5869 2.3.
      const okm = new Uint8Array(length);
      let block: Uint8Array = new Uint8Array(0);
      for (let counter = 1, offset = 0; offset < length; counter++, offset += block.length) {
        const next = hmac(prk, [block, info, Uint8Array.of(counter)]);
        block.fill(0);
        block = next;
        okm.set(block.subarray(0, length - offset), offset);
      }
      block.fill(0);
      return okm;
    },
  };
}

/** SM3 in TypeScript. */
export function createPortableSm3(): HashEngine<"sm3"> {
  return createSm3("portable", digestSm3, beginSm3);
}

/**
 * From this many bytes on, OpenSSL's SM3 is faster than ours; below, the price of a call into it is more than all the work.
 * Measured on Node 20, 24 and 26: they meet between 1 and 2 KiB.
 */
const NATIVE_FROM = 1024;

/**
 * SM3 by node:crypto, and in TypeScript for short data.
 * @param nativeFrom - bytes from which on node:crypto is used; 0 for always
 */
export function createNodeSm3(node: NodeCrypto, nativeFrom: number = NATIVE_FROM): HashEngine<"sm3"> {
  const begin = (): HashState => {
    const state = node.createHash("sm3");
    return { update: (data) => state.update(data), digest: () => plain(state.digest()) };
  };
  const digest: Digest = (data) => {
    let length = 0;
    for (const part of data) length += part.length;
    if (length < nativeFrom) return digestSm3(data);
    const state = begin();
    for (const part of data) state.update(part);
    return state.digest();
  };
  return createSm3("node", digest, begin);
}
