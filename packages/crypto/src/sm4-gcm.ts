// SM4-GCM with 12-byte nonces and 16-byte tags (GB/T 32907-2016 with NIST SP 800-38D; RFC 8998): the same shapes as AES-GCM's. It must
// not know how an implementation does it, nor how nonces are made.
import type { AeadImplementation, AeadKey } from "./aes-gcm.js";
import { sm4GcmSelector } from "./sm4-gcm-select.js";

export type { AeadImplementation, AeadKey, AeadOpener, Sealed } from "./aes-gcm.js";

/**
 * Makes a raw key ready for SM4-GCM, with the best implementation of this runtime. Everything is synchronous. In WebAssembly and in
 * TypeScript it is constant-time as far as the engine keeps it so. By node:crypto, which is taken where the processor has SM4
 * instructions or where there is no WebAssembly, it is so in the former case only: OpenSSL's C code works with tables.
 * @param key - 16 bytes; copied, so the caller may wipe it afterwards
 * @returns the key; its `implementation` is `wasm-relaxed`, `wasm`, `node`, `node-ctr` or `portable`
 * @throws TypeError or RangeError `ERR_ARGUMENT` for another type or length
 */
export function importSm4GcmKey(key: Uint8Array): AeadKey {
  // The portable one needs nothing of the runtime, so one is always chosen.
  return (sm4GcmSelector.chosen() as AeadImplementation).importKey(key);
}

/**
 * Lists every SM4-GCM implementation that this runtime has, for tests and benchmarks.
 * @returns the implementations, best first: at least `portable`
 */
export function sm4GcmImplementations(): readonly AeadImplementation[] {
  return sm4GcmSelector.available();
}
