// The padding of block ciphers with blocks of 16 bytes (RFC 5652 section 6.3). It must not know any cipher.

/** Bytes of a block. */
export const BLOCK_BYTES = 16;

/** A copy of the plaintext with 1..16 bytes of padding, up to whole blocks. */
export function addPadding(plaintext: Uint8Array): Uint8Array {
  const { length } = plaintext;
  const padding = BLOCK_BYTES - (length % BLOCK_BYTES);
  const padded = new Uint8Array(length + padding);
  padded.set(plaintext);
  padded.fill(padding, length);
  return padded;
}

/**
 * Takes the padding away, and wipes what it was given.
 * @param padded - one block or more
 * @returns a new buffer, or undefined if the padding is wrong
 */
export function removePadding(padded: Uint8Array): Uint8Array | undefined {
  const padding = paddingOf(padded);
  const plaintext = padded.slice(0, padded.length - padding);
  padded.fill(0);
  if (padding > 0) return plaintext;
  plaintext.fill(0);
  return undefined;
}

/** How long the padding is, 1..16, or 0 if it is wrong. The time is the same for every content. */
function paddingOf(padded: Uint8Array): number {
  const last = padded[padded.length - 1] as number;
  // The sign bit tells whether last is in 1..16.
  let wrong = ((last - 1) | (BLOCK_BYTES - last)) >> 31;
  for (let i = 1; i <= BLOCK_BYTES; i++) {
    const isPadding = (i - 1 - last) >> 31;
    wrong |= isPadding & ((padded[padded.length - i] as number) ^ last);
  }
  // All ones if anything is wrong.
  return last & ~((wrong | -wrong) >> 31);
}
