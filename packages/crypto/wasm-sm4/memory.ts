// Where everything stands in the memory, in AssemblyScript, and how it is overwritten. It must not know what is computed.

/** Bytes of a block. */
export const BLOCK: usize = 16;
/** Blocks that are encrypted at once, and their bytes. */
export const LANES: usize = 32;
export const BATCH: usize = LANES * BLOCK;
/** Bytes of a word of the state: eight vectors, one for each bit of a byte. */
export const WORD: usize = 128;

/** The state of SM4: four words. */
export const STATE: usize = 0;
/** What the S-box gives. */
export const SUBSTITUTED: usize = STATE + 4 * WORD;
/** The round keys as masks, one word for each round. */
export const KEYS: usize = SUBSTITUTED + WORD;
/** The first three words of all counter blocks as masks. */
export const NONCE_MASKS: usize = KEYS + 32 * WORD;
/** Out and in: the 32 words of the key schedule, and GHASH's key, as bytes. */
export const SCHEDULE: usize = NONCE_MASKS + 3 * WORD;
export const H: usize = SCHEDULE + 128;
/** In: a key, or the counter block, of which 12 bytes count. */
export const NONCE: usize = H + BLOCK;
export const KEY: usize = NONCE;
/** In and out: GHASH's value. */
export const Y: usize = NONCE + BLOCK;
/** GHASH's key to the 16th power. */
export const POWER: usize = Y + BLOCK;
/** Room for a transposition. */
export const SPARE: usize = POWER + BLOCK;
/** The end of what operations without tables use. */
const SMALL_END: usize = SPARE + 256;

/** GHASH's tables: for each of 32 half bytes and each of 16 bytes of the product, 16 bytes. */
export const TABLES: usize = SMALL_END;
/** The half bytes that look up. */
export const HALVES: usize = TABLES + 32 * 256;
/** 16 values of GHASH, byte by byte, and the same block by block. */
export const LANE_BYTES: usize = HALVES + 512;
export const LANE_BLOCKS: usize = LANE_BYTES + 256;
const END: usize = LANE_BLOCKS + 256;

/** Zeros. */
export const ZEROS: usize = END;
/** In: a block that comes before the data, such as an IV, then the data. */
export const SOURCE: usize = ZEROS + BATCH;
/** Bytes of data that fit. */
export const CAPACITY: usize = 65536;
/** Out, where the result does not replace the data. Both have room for a whole batch after the data. */
export const TARGET: usize = SOURCE + BLOCK + CAPACITY + BATCH;

/** Whether GHASH's tables are in the memory. */
let hasTables = false;

export function useTables(): void {
  hasTables = true;
}

/** Overwrites everything that depends on keys, and data: in SOURCE its first block and `source` bytes, in TARGET `target` bytes. */
export function wipe(source: usize, target: usize): void {
  memory.fill(STATE, 0, (hasTables ? END : SMALL_END) - STATE);
  hasTables = false;
  memory.fill(SOURCE, 0, BLOCK + source + BATCH);
  if (target > 0) memory.fill(TARGET, 0, target + BATCH);
}
