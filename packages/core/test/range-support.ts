// Messages that other writers make and this one does not, from the parts of the engine: for the tests of range reads.
import type { WrappingKey } from "@fengni/core";
import { randomBytes } from "@fengni/crypto/random";
import { deriveMessageKeys } from "../src/derive.js";
import type { SealingMaterials } from "../src/materials.js";
import { headerBody, SealedMessage, sealHeader } from "../src/sealed-message.js";
import { suiteForWriting } from "../src/suites.js";
import { BlockAad } from "../src/wire/frame.js";
import { serializeEncryptedDataKeys, serializeHeader } from "../src/wire/header.js";
import { putU16, putU32 } from "../src/wire/integers.js";
import { bytesOf, joined } from "./support.js";

const EMPTY = new Uint8Array(0);

async function materialsOf(key: WrappingKey): Promise<SealingMaterials> {
  const dataKey = randomBytes(32);
  const wrapped = await key.wrapDataKey({ dataKey, encryptionContext: {} });
  return {
    suite: suiteForWriting(0x0478),
    dataKey,
    signingKey: undefined,
    storedContext: EMPTY,
    unstoredContext: EMPTY,
    encryptedDataKeys: serializeEncryptedDataKeys([wrapped]),
  };
}

/** A message whose plaintext is a multiple of the frame length and ends with a full final frame, not an empty one. */
export async function fullFinalFrame(
  key: WrappingKey,
  frameLength: number,
  frames: number,
): Promise<{ readonly message: Uint8Array; readonly plaintext: Uint8Array }> {
  const plaintext = bytesOf(frameLength * frames);
  const message = new SealedMessage(await materialsOf(key), frameLength);
  const pieces = [await message.header()];
  const split = frameLength * (frames - 1);
  await message.regular(plaintext.subarray(0, split), pieces);
  await message.final(plaintext.subarray(split), pieces);
  return { message: joined(pieces), plaintext };
}

/** A message whose body is not framed. */
export async function nonFramed(key: WrappingKey, plaintext: Uint8Array): Promise<Uint8Array> {
  const materials = await materialsOf(key);
  const messageId = randomBytes(32);
  const keys = deriveMessageKeys(materials.suite, materials.dataKey, messageId);
  const header = serializeHeader({
    suite: materials.suite,
    messageId,
    context: EMPTY,
    encryptedDataKeys: materials.encryptedDataKeys,
    frameLength: 0,
    commitment: keys.commitment,
  });
  const body = headerBody(header);
  body[body.length - 32 - 5] = 1;
  await sealHeader(header, EMPTY, keys.headerCipher(body, EMPTY));
  const iv = new Uint8Array(12);
  putU16(iv, 10, 1);
  const aad = new BlockAad(messageId).of("non-framed", 1, plaintext.length);
  const sealed = await keys.cipher.seal(iv, aad, plaintext);
  const length = new Uint8Array(8);
  putU32(length, 4, plaintext.length);
  return joined([header, iv, length, sealed.ciphertext, sealed.tag]);
}
