// The encodings of SM2 ciphertexts and their limits. It must not encrypt nor decrypt.
import { argumentRangeError } from "./assert.js";
import { concatBytes } from "./bytes.js";
import { DerReader, derElement, derUnsigned, MalformedDer, TAG } from "./der.js";
import { FengniError } from "./errors.js";
import type { Sm2CiphertextFormat } from "./sm2.js";
import { SM2_SIZE } from "./sm2-curve.js";
import { uncompressedPoint } from "./sm2-keys.js";

/** The parts of a ciphertext. */
export interface Sm2Ciphertext {
  /** C1, the ephemeral point x || y, not yet known to be on the curve. */
  readonly point: Uint8Array;
  /** C2, as long as the plaintext. */
  readonly masked: Uint8Array;
  /** C3, 32 bytes. */
  readonly tag: Uint8Array;
}

/** The longest plaintext, in bytes: SM2 carries keys, and each byte more would be hashed twice before anything is known of it. */
export const MAX_PLAINTEXT: number = 2 ** 20;

const POINT_LENGTH: number = 1 + 2 * SM2_SIZE;
const RAW_OVERHEAD: number = POINT_LENGTH + SM2_SIZE;
// A SEQUENCE of 5 + 35 + 35 + 34 + 5 bytes beside C2 at most.
const ASN1_OVERHEAD = 114;

/** RangeError `ERR_ARGUMENT` for a plaintext that SM2 does not carry, as an empty one, whose mask would be all zeros, trivially. */
export function checkPlaintextLength({ length }: Uint8Array): void {
  if (length >= 1 && length <= MAX_PLAINTEXT) return;
  throw argumentRangeError(`"plaintext" expected Uint8Array of 1..${MAX_PLAINTEXT} bytes, got length=${length}`);
}

/** Writes a ciphertext. */
export function formatCiphertext({ point, masked, tag }: Sm2Ciphertext, format: Sm2CiphertextFormat): Uint8Array {
  switch (format) {
    case "c1c3c2":
      return concatBytes(uncompressedPoint(point), tag, masked);
    case "c1c2c3":
      return concatBytes(uncompressedPoint(point), masked, tag);
    case "asn1":
      return derElement(
        TAG.sequence,
        derUnsigned(point.subarray(0, SM2_SIZE)),
        derUnsigned(point.subarray(SM2_SIZE)),
        derElement(TAG.octetString, tag),
        derElement(TAG.octetString, masked),
      );
  }
}

/**
 * Reads a ciphertext. The parts may be views.
 * @throws FengniError `ERR_LIMIT` if it is too long, `ERR_CIPHERTEXT_INVALID` if it is malformed
 */
export function parseCiphertext(ciphertext: Uint8Array, format: Sm2CiphertextFormat): Sm2Ciphertext {
  const maximum = MAX_PLAINTEXT + (format === "asn1" ? ASN1_OVERHEAD : RAW_OVERHEAD);
  const actual = ciphertext.length;
  if (actual > maximum) {
    throw new FengniError("ERR_LIMIT", `the SM2 ciphertext is longer than ${maximum} bytes`, {
      details: { limit: "sm2CiphertextBytes", maximum, actual },
    });
  }
  try {
    return format === "asn1" ? parseAsn1(ciphertext) : parseRaw(ciphertext, format);
  } catch {
    throw new FengniError("ERR_CIPHERTEXT_INVALID", `not an SM2 ciphertext of the format ${format}`);
  }
}

/** GB/T 32918.4-2016 6.1, step A8: an uncompressed point, then the tag and the masked text in either order. */
function parseRaw(ciphertext: Uint8Array, format: Sm2CiphertextFormat): Sm2Ciphertext {
  if (ciphertext[0] !== 4 || ciphertext.length <= RAW_OVERHEAD) throw new Error();
  const point = ciphertext.subarray(1, POINT_LENGTH);
  const rest = ciphertext.subarray(POINT_LENGTH);
  if (format === "c1c3c2") return { point, tag: rest.subarray(0, SM2_SIZE), masked: rest.subarray(SM2_SIZE) };
  const end = rest.length - SM2_SIZE;
  return { point, tag: rest.subarray(end), masked: rest.subarray(0, end) };
}

/** SM2Cipher of GM/T 0009-2012 7.2. */
function parseAsn1(ciphertext: Uint8Array): Sm2Ciphertext {
  const outer = new DerReader(ciphertext);
  const inner = outer.enter(TAG.sequence);
  outer.end();
  const point = new Uint8Array(2 * SM2_SIZE);
  for (const end of [SM2_SIZE, 2 * SM2_SIZE]) {
    const coordinate = inner.unsigned();
    if (coordinate.length > SM2_SIZE) throw new MalformedDer("a coordinate is too long");
    point.set(coordinate, end - coordinate.length);
  }
  const tag = inner.contents(TAG.octetString);
  const masked = inner.contents(TAG.octetString);
  inner.end();
  if (tag.length !== SM2_SIZE || masked.length === 0) throw new MalformedDer("a part has a wrong length");
  return { point, tag, masked };
}
