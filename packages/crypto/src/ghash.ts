// What GHASH is (NIST SP 800-38D section 6.4), whichever way it is done. It must not know a cipher.

/** A hash key H that is ready for use. */
export interface GhashKey {
  begin(): Ghash;
}

/** The hash of one message. */
export interface Ghash {
  /** Takes data; unless it is a multiple of 16 bytes, zeros are added to it. */
  update(data: Uint8Array): void;
  /** Gives the hash, 16 bytes, and overwrites what is held. */
  digest(): Uint8Array;
}
