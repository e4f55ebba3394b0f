// ECDSA and SM2 signatures taken apart and written in ways that are wrong, or right but unusual. It must not verify any.
import type { SignatureAlgorithm } from "@fengni/core";
import { bytesToHex, concatBytes, hexToBytes } from "@fengni/crypto/bytes";
import type { Mutation } from "./mutations.js";

/** The orders of the groups: SEC 2 sections 2.4.2 and 2.5.1 (FIPS 186-5), GB/T 32918.5-2017. */
const ORDERS: Readonly<Partial<Record<SignatureAlgorithm, bigint>>> = {
  ECDSA_P256_SHA_256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ECDSA_P384_SHA_384:
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  SM2DSA: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
};

/** The order of the group that an algorithm signs in; undefined for algorithms without curves. */
export function orderOf(algorithm: SignatureAlgorithm): bigint | undefined {
  return ORDERS[algorithm];
}

/** The two numbers of a signature. */
export interface SignatureNumbers {
  readonly r: bigint;
  readonly s: bigint;
}

/** Reads a DER signature of two numbers; undefined for anything that is not exactly one in its shortest form. */
export function readSignature(der: Uint8Array): SignatureNumbers | undefined {
  const lengthOfR = der[3] ?? 0;
  const lengthOfS = der[5 + lengthOfR] ?? 0;
  const r = der.subarray(4, 4 + lengthOfR);
  const s = der.subarray(6 + lengthOfR, 6 + lengthOfR + lengthOfS);
  if (r.length === 0 || s.length === 0) return undefined;
  const numbers = { r: numberOf(r), s: numberOf(s) };
  return bytesToHex(writeSignature(numbers)) === bytesToHex(der) ? numbers : undefined;
}

/** Writes a signature as DER. */
export function writeSignature({ r, s }: SignatureNumbers): Uint8Array {
  return sequence(integer(r), integer(s));
}

/** Signatures that are wrong, whatever r and s: encodings that DER forbids, and numbers out of range. */
export function wrongEncodings(numbers: SignatureNumbers, order: bigint): Mutation[] {
  const { r, s } = numbers;
  const [encodedR, encodedS] = [integer(r), integer(s)];
  const padded = (encoded: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(2, (encoded[1] as number) + 1, 0), encoded.subarray(2));
  const body = concatBytes(encodedR, encodedS);
  const size = order.toString(16).length / 2;
  const raw = hexToBytes([r, s].map((number) => number.toString(16).padStart(2 * size, "0")).join(""));
  const numbered = (name: string, wrong: Partial<SignatureNumbers>): Mutation => ({
    name,
    bytes: writeSignature({ ...numbers, ...wrong }),
  });
  return [
    numbered("r = 0", { r: 0n }),
    numbered("s = 0", { s: 0n }),
    numbered("r and s = 0", { r: 0n, s: 0n }),
    numbered("r = 1, s = 1", { r: 1n, s: 1n }),
    numbered("r = n", { r: order }),
    numbered("s = n", { s: order }),
    numbered("r + n", { r: r + order }),
    numbered("s + n", { s: s + order }),
    numbered("n - r", { r: order - r }),
    numbered("r and s exchanged", { r: s, s: r }),
    { name: "r negative", bytes: sequence(Uint8Array.of(2, 1, 0xff), encodedS) },
    { name: "a zero byte before r", bytes: sequence(padded(encodedR), encodedS) },
    { name: "a zero byte before s", bytes: sequence(encodedR, padded(encodedS)) },
    { name: "bytes after s, inside", bytes: sequence(encodedR, encodedS, Uint8Array.of(5, 0)) },
    { name: "bytes after the end", bytes: concatBytes(sequence(body), Uint8Array.of(5, 0)) },
    { name: "a long form of the length", bytes: concatBytes(Uint8Array.of(0x30, 0x82, 0, body.length), body) },
    { name: "an indefinite length", bytes: concatBytes(Uint8Array.of(0x30, 0x80), body, Uint8Array.of(0, 0)) },
    { name: "a SET in place of the SEQUENCE", bytes: concatBytes(Uint8Array.of(0x31, body.length), body) },
    { name: "r and s side by side", bytes: raw },
  ];
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts);
  const header = body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length];
  return concatBytes(Uint8Array.from(header), body);
}

/** A number that is not negative as a DER INTEGER of fewer than 128 bytes. */
function integer(number: bigint): Uint8Array {
  const hex = number.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = hexToBytes(Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even);
  return concatBytes(Uint8Array.of(2, bytes.length), bytes);
}

/** The number that big-endian bytes are. */
function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);
}
