// Changed byte strings, for what must be refused when a single byte is not as it was made. It must not know what the bytes mean.
import { concatBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";

/** A changed byte string, and how it was changed. */
export interface Mutation {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Byte strings up to this length are changed at each byte and cut at each length; of longer ones a part. */
const WHOLE_BYTES = 1200;
const EDGE_BYTES = 40;
const STRIDE = 16;

/** Positions to change: all of a short string, or both ends and a grid of a long one. */
function positions(length: number, whole: number): number[] {
  const all = Array.from({ length }, (_value, index) => index);
  if (length <= whole) return all;
  return all.filter((index) => index < EDGE_BYTES || index >= length - EDGE_BYTES || index % STRIDE === 0);
}

/** Each byte with its lowest bit changed, and with its highest. */
export function flips(bytes: Uint8Array, whole: number = WHOLE_BYTES): Mutation[] {
  return positions(bytes.length, whole).flatMap((index) =>
    [0x01, 0x80].map((mask) => {
      const changed = Uint8Array.from(bytes);
      changed[index] = (changed[index] as number) ^ mask;
      return { name: `byte ${index} of ${bytes.length} xor 0x${mask.toString(16)}`, bytes: changed };
    }),
  );
}

/** Each byte with one of its bits changed, the lowest or the highest in turn: for what is slow to check. */
export function fewFlips(bytes: Uint8Array, whole: number = WHOLE_BYTES): Mutation[] {
  return flips(bytes, whole).filter((_mutation, index) => index % 4 === 0 || index % 4 === 3);
}

/** The beginning of the bytes, at every length from 1 on. */
export function truncations(bytes: Uint8Array, whole: number = WHOLE_BYTES): Mutation[] {
  return positions(bytes.length, whole)
    .filter((length) => length > 0)
    .map((length) => ({ name: `the first ${length} of ${bytes.length} bytes`, bytes: bytes.slice(0, length) }));
}

/** The bytes with more before or after them, or without their first byte. */
export function extensions(bytes: Uint8Array): Mutation[] {
  const zero = Uint8Array.of(0);
  return [
    { name: "a zero byte added", bytes: concatBytes(bytes, zero) },
    { name: "16 random bytes added", bytes: concatBytes(bytes, randomBytes(16)) },
    { name: "the bytes twice", bytes: concatBytes(bytes, bytes) },
    { name: "a zero byte put in front", bytes: concatBytes(zero, bytes) },
    { name: "the first byte taken away", bytes: bytes.slice(1) },
  ];
}

/** The beginning of one string with the end of another of the same length, at every cut that makes a third. */
export function splices(a: Uint8Array, b: Uint8Array): Mutation[] {
  const mutations: Mutation[] = [];
  const seen = new Set([a.join(), b.join()]);
  for (const cut of positions(Math.min(a.length, b.length), WHOLE_BYTES)) {
    const bytes = concatBytes(a.subarray(0, cut), b.subarray(cut));
    const key = bytes.join();
    if (!seen.has(key)) mutations.push({ name: `the first ${cut} bytes of one, the rest of another`, bytes });
    seen.add(key);
  }
  return mutations;
}

/** Random byte strings of many lengths. */
export function noise(): Mutation[] {
  return [1, 2, 12, 16, 28, 32, 48, 64, 100, 200, 256, 512, 2000].map((length) => ({
    name: `${length} random bytes`,
    bytes: randomBytes(length),
  }));
}

/** The codes that may answer a changed ciphertext: the last two where the change hit the key id inside. */
export const CHANGED_CODES: readonly string[] = [
  "ERR_CIPHERTEXT_INVALID",
  "ERR_AUTHENTICATION",
  "ERR_KEY_NOT_FOUND",
  "ERR_NO_MATCHING_KEY",
];

/**
 * Finds plaintexts whose ciphertexts were masked by the same bytes, as stream ciphers do when a nonce comes twice.
 * @param samples - plaintexts of at least 16 bytes with their ciphertexts
 * @returns whether some mask comes twice
 */
export function hasRepeatedMask(
  samples: readonly { readonly plaintext: Uint8Array; readonly ciphertext: Uint8Array }[],
): boolean {
  const masks = new Set<string>();
  for (const { plaintext, ciphertext } of samples) {
    for (let offset = 0; offset + plaintext.length <= ciphertext.length; offset++) {
      let mask = `${offset}:`;
      for (let i = 0; i < 12; i++) {
        mask += String.fromCharCode((plaintext[i] as number) ^ (ciphertext[offset + i] as number));
      }
      if (masks.has(mask)) return true;
      masks.add(mask);
    }
  }
  return false;
}

/** Whether `part`, of at least 8 bytes, stands somewhere in `whole`. */
export function containsBytes(whole: Uint8Array, part: Uint8Array): boolean {
  for (let offset = 0; offset + part.length <= whole.length; offset++) {
    let i = 0;
    while (i < part.length && whole[offset + i] === part[i]) i += 1;
    if (i === part.length) return true;
  }
  return false;
}
