// What CCM makes of a block cipher (NIST SP 800-38C section 6, with the formatting of its appendix A): the blocks that are authenticated,
// and the counters. It must not check arguments (sm4-ccm.ts does) nor know which SM4 it is.
import type { Sealed } from "./aes-gcm.js";
import { equalBytes } from "./bytes.js";
import type { Sm4EngineKey } from "./sm4-checked.js";

const BLOCK = 16;
// From here on the length of the additional data takes six bytes instead of two.
const LONG_AAD = 0xff00;
// How much is authenticated at once: the chain's blocks are thrown away but for the last.
const PIECE = 65_536;

/** The first block, and the additional data with its length before it; appendix A.2.1 and A.2.2. */
function headerOf(nonce: Uint8Array, aad: Uint8Array, length: number, tagLength: number): Uint8Array {
  const lengthBytes = BLOCK - 1 - nonce.length;
  const prefix = aad.length === 0 ? 0 : aad.length < LONG_AAD ? 2 : 6;
  const header = new Uint8Array(BLOCK * (1 + Math.ceil((prefix + aad.length) / BLOCK)));
  header[0] = (prefix > 0 ? 0x40 : 0) | (((tagLength - 2) / 2) << 3) | (lengthBytes - 1);
  header.set(nonce, 1);
  for (let i = 0, rest = length; i < lengthBytes; i++, rest = Math.floor(rest / 256)) header[BLOCK - 1 - i] = rest;
  const view = new DataView(header.buffer);
  if (prefix === 2) view.setUint16(BLOCK, aad.length);
  if (prefix === 6) {
    view.setUint16(BLOCK, 0xfffe);
    view.setUint32(BLOCK + 2, aad.length);
  }
  header.set(aad, BLOCK + prefix);
  return header;
}

/** The counter block before the data's, which masks the tag; appendix A.3. */
function counterOf(nonce: Uint8Array): Uint8Array {
  const counter = new Uint8Array(BLOCK);
  counter[0] = BLOCK - 2 - nonce.length;
  counter.set(nonce, 1);
  return counter;
}

/** Takes whole blocks into the chain. */
function absorb(chain: Sm4EngineKey, value: Uint8Array, blocks: Uint8Array): void {
  for (let at = 0; at < blocks.length; at += PIECE) {
    const encrypted = chain.encryptCbc(value, blocks.subarray(at, at + PIECE));
    value.set(encrypted.subarray(-BLOCK));
    encrypted.fill(0);
  }
}

/** The tag before it is masked; section 6.1 steps 1 to 4. */
function authenticate(
  chain: Sm4EngineKey,
  tagLength: number,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const value = new Uint8Array(BLOCK);
  absorb(chain, value, headerOf(nonce, aad, plaintext.length, tagLength));
  const whole = plaintext.length - (plaintext.length % BLOCK);
  absorb(chain, value, plaintext.subarray(0, whole));
  if (whole < plaintext.length) {
    const last = new Uint8Array(BLOCK);
    last.set(plaintext.subarray(whole));
    absorb(chain, value, last);
    last.fill(0);
  }
  return value;
}

/** Encrypts or decrypts, and makes the mask of the tag on the way. */
function crypt(cipher: Sm4EngineKey, nonce: Uint8Array, data: Uint8Array): { mask: Uint8Array; result: Uint8Array } {
  const input = new Uint8Array(BLOCK + data.length);
  input.set(data, BLOCK);
  const output = cipher.ctr(counterOf(nonce), input);
  input.fill(0);
  const mask = new Uint8Array(output.subarray(0, BLOCK));
  output.fill(0, 0, BLOCK);
  return { mask, result: output.subarray(BLOCK) };
}

/** Masks the tag and cuts it to its length. */
function finish(value: Uint8Array, mask: Uint8Array, tagLength: number): Uint8Array {
  const tag = new Uint8Array(tagLength);
  for (let i = 0; i < tagLength; i++) tag[i] = (value[i] as number) ^ (mask[i] as number);
  value.fill(0);
  mask.fill(0);
  return tag;
}

/** Encrypts and authenticates; section 6.1. @param chain - does the authentication */
export function sealCcm(
  cipher: Sm4EngineKey,
  chain: Sm4EngineKey,
  tagLength: number,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Sealed {
  const { mask, result } = crypt(cipher, nonce, plaintext);
  const tag = finish(authenticate(chain, tagLength, nonce, aad, plaintext), mask, tagLength);
  return { ciphertext: result, tag };
}

/** Decrypts and verifies; section 6.2. Gives undefined if the tag does not fit, and then leaves no plaintext. */
export function openCcm(
  cipher: Sm4EngineKey,
  chain: Sm4EngineKey,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Uint8Array | undefined {
  const { mask, result } = crypt(cipher, nonce, ciphertext);
  const expected = finish(authenticate(chain, tag.length, nonce, aad, result), mask, tag.length);
  if (equalBytes(expected, tag)) return result;
  result.fill(0);
  return undefined;
}
