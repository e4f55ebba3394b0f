// SHA-2, HMAC and HKDF-Expand by noble. It must not check arguments (hash-checked.ts does) nor know the runtime.
import { expand } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { Sha2Name } from "./hash.js";
import type { HashEngine, HashState } from "./hash-checked.js";

const FUNCTIONS = { sha256, sha384, sha512 };

/** SHA-2, HMAC and HKDF-Expand by noble. */
export function createNobleHash(): HashEngine {
  const finish = (state: HashState, data: readonly Uint8Array[]): Uint8Array => {
    for (const part of data) state.update(part);
    return state.digest();
  };
  return {
    name: "noble",
    digest: (hash: Sha2Name, data) => finish(FUNCTIONS[hash].create(), data),
    begin: (hash) => FUNCTIONS[hash].create(),
    hmac: (hash, key, data) => finish(hmac.create(FUNCTIONS[hash], key), data),
    expand: (hash, prk, info, length) => expand(FUNCTIONS[hash], prk, info, length),
  };
}
