// The data keys of the soak test: made by arithmetic straight into the buffer, so that a search of the process's memory finds
// what the library left and not what the test did. Not random: of no use for anything else.

/** Data key number `serial`, 32 bytes that occur nowhere by chance. */
export function dataKeyOf(serial) {
  const key = new Uint8Array(32);
  let state = (Math.imul(serial + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  for (let i = 0; i < 32; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    key[i] = state >>> 24;
  }
  return key;
}
